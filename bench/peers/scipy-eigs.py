"""SciPy's eigsh (ARPACK) on a sparse symmetric matrix from files, timed on request.

Arguments: folder, rows, pairs, tolerance, mode, threads. The folder holds indptr and indices (i32), values and
expected (f64). The peer speaks the protocol of serve.ts. Modes:

- flip: the largest eigenvalues of 2·I − L, by matrix products only
- shift-invert: eigsh(sigma=-0.001), which first makes a sparse LU factorization
"""
import sys
from pathlib import Path

from lines import absent, limit_threads, serve

folder, rows, pairs, tolerance, mode = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
threads = int(sys.argv[6])
limit_threads(threads)

try:
    import numpy as np
    import scipy
    from scipy.sparse import csr_matrix, identity
    from scipy.sparse.linalg import eigsh
except ImportError as error:
    absent(error)


def read(name, dtype):
    return np.fromfile(folder / name, dtype)


laplacian = csr_matrix((read("values", "<f8"), read("indices", "<i4"), read("indptr", "<i4")), shape=(rows, rows))
expected = read("expected", "<f8")


def run():
    if mode == "shift-invert":
        return eigsh(laplacian, pairs, sigma=-0.001, which="LM", tol=tolerance)[0]
    return 2 - eigsh(2 * identity(rows, format="csr") - laplacian, pairs, which="LA", tol=tolerance)[0]


def check(values):
    if np.abs(np.sort(values) - expected).max() > 1e-9:
        sys.exit(f"eigenvalues must be equal, got a difference of {np.abs(np.sort(values) - expected).max()}")


serve(f"SciPy {scipy.__version__}", f"eigsh {mode} {threads} threads", run, check)
