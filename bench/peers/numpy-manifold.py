"""The steps of buildManifold in numpy.

They are: read, check, products of the features, reduction, neighbours, weights, Laplacian, tau, a file.
Arguments: a .npy file of float32, dim, k, threads, and a folder with basis [width, dim] and expected [dim, dim]
in f64. The result is written into that folder. The peer speaks the protocol of serve.ts.
"""
import sys
from pathlib import Path

from lines import absent, limit_threads, serve

file, dim, k, threads, folder = sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5])
limit_threads(threads)

BLOCK = 8192
TAU_ROWS = 1024

try:
    import numpy as np
except ImportError as error:
    absent(error)

expected = np.fromfile(folder / "expected").reshape(dim, dim)
basis = np.fromfile(folder / "basis").reshape(-1, dim)


def run():
    x = np.load(file)
    if not np.isfinite(x).all():
        sys.exit("embeddings must be finite, got elements that are not")
    gram = np.zeros((x.shape[1], x.shape[1]))
    for first in range(0, len(x), BLOCK):
        block = x[first : first + BLOCK]
        gram += block.T @ block
    reduced = basis.T @ gram @ basis
    kept = np.trace(reduced) / np.trace(gram)
    norms = np.sqrt(np.diag(reduced))
    distances = 1 - np.clip(reduced / np.outer(norms, norms), 0, 1)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]
    chosen = np.take_along_axis(distances, nearest, 1)
    weights = np.zeros((dim, dim))
    np.put_along_axis(weights, nearest, 1 / (1 + (chosen / np.median(chosen)) ** 2), 1)
    weights = np.maximum(weights, weights.T)
    laplacian = np.diag(weights.sum(1)) - weights
    y = x[np.random.default_rng(0).choice(len(x), TAU_ROWS, replace=False)] @ basis
    tau = np.median((y @ laplacian * y).sum(1) / ((y * y).sum(1) + 1e-6))
    np.savez(folder / "manifold.npz", laplacian=laplacian, kept=kept, tau=tau)
    return laplacian


error = np.abs(run() - expected).max()
if not error < 1e-4 * np.abs(expected).max():
    sys.exit(f"Laplacians must be equal, got a difference of {error}")
serve(f"numpy {np.__version__}", f"{threads} threads", run)
