"""scikit-learn's exact neighbours: NearestNeighbors(algorithm='brute') on float32, fitted and asked for the neighbours of all points.

Arguments: a file of float32, rows, columns, k, threads, and a file that gets the neighbours as int32. Speaks the lines of serve.ts.
"""
import json
import os
import sys
import time

points, rows, cols, k, threads, found = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(threads)


def say(message):
    print(json.dumps(message), flush=True)


try:
    import numpy
    import sklearn
    from sklearn.neighbors import NearestNeighbors
except ImportError as error:
    say({"absent": str(error)})
    sys.exit()

x = numpy.fromfile(points, dtype=numpy.float32).reshape(rows, cols)


def run():
    neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=threads).fit(x)
    return neighbours.kneighbors()[1]


run().astype(numpy.int32).tofile(found)
say({"label": f"scikit-learn {sklearn.__version__} {threads} threads"})
for line in sys.stdin:
    repeats = int(line)
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    say({"ms": 1000 * (time.perf_counter() - start) / repeats})
