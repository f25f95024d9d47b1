"""SciPy's eigsh (ARPACK) on a sparse symmetric matrix from files, timed on request.

Arguments: folder, rows, pairs, tolerance, mode. The folder holds indptr and indices (i32), values and expected (f64). Modes:
flip: the largest eigenvalues of 2·I − L, matrix products only;  shift-invert: eigsh(sigma=-0.001), a sparse LU factorisation first.
Speaks the lines of serve.ts.
"""
import json
import sys
import time
from pathlib import Path

folder, rows, pairs, tolerance, mode = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]


def say(message):
    print(json.dumps(message), flush=True)


try:
    import numpy as np
    import scipy
    from scipy.sparse import csr_matrix, identity
    from scipy.sparse.linalg import eigsh
except ImportError as error:
    say({"absent": str(error)})
    sys.exit()


def read(name, dtype):
    return np.fromfile(folder / name, dtype)


laplacian = csr_matrix((read("values", "<f8"), read("indices", "<i4"), read("indptr", "<i4")), shape=(rows, rows))
expected = read("expected", "<f8")


def run():
    if mode == "shift-invert":
        return eigsh(laplacian, pairs, sigma=-0.001, which="LM", tol=tolerance)[0]
    return 2 - eigsh(2 * identity(rows, format="csr") - laplacian, pairs, which="LA", tol=tolerance)[0]


say({"label": f"SciPy {scipy.__version__} eigsh {mode}"})
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        values = np.sort(run())
    say({"ms": 1000 * (time.perf_counter() - start) / int(line)})
    if np.abs(values - expected).max() > 1e-9:
        sys.exit(f"eigenvalues differ by {np.abs(values - expected).max()}")
