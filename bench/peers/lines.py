"""The protocol of serve.ts for peers in Python."""
import json
import os
import sys
import time


def limit_threads(threads):
    """Call it before the library is loaded, because the library reads the variable once."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(threads)


def say(message):
    print(json.dumps(message), flush=True)


def absent(error):
    """Ends a peer whose library is missing."""
    say({"absent": str(error)})
    sys.exit()


def serve(version, setting, run, check=lambda result: None):
    """Times `run` as often as it is asked to, and checks its last result.

    version: the library's name and version. setting: how it runs, for the table.
    """
    say({"version": version, "setting": setting})
    for line in sys.stdin:
        repeats = int(line)
        start = time.perf_counter()
        for _ in range(repeats):
            result = run()
        say({"ms": 1000 * (time.perf_counter() - start) / repeats})
        check(result)
