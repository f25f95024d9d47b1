"""Random inputs of the cases."""
import json
from pathlib import Path

import numpy as np
import torch

from cases.format import from_json, is_array, map_tree
from tauformer.graphs import laplacian, principal_laplacian, to_dense

MANIFOLD64 = Path(__file__).parents[1] / "manifold64.json"


def normal(rng, *shape, scale=1.0, digits=5):
    """Gaussian array with few decimals, so that it is short in JSON and read back exactly."""
    return np.round(scale * rng.normal(size=shape), digits)


def uniform(rng, *shape, low=0.0, high=1.0, digits=6):
    return np.round(rng.uniform(low, high, size=shape), digits)


def best_connected(coo, count):
    """The `count` nodes with most neighbors, ascending; ties go to the smaller index."""
    neighbors = (to_dense(coo) != 0).sum(1)
    return np.sort(np.argsort(-neighbors, kind="stable")[:count])


def manifold_laplacian(size=64):
    """Laplacian [size, size] that the best connected nodes of manifold64.json span."""
    coo = from_json(json.loads(MANIFOLD64.read_text()))
    return principal_laplacian(coo, best_connected(coo, size))


def random_laplacian(rng, size, density=0.3):
    """Laplacian of a random connected graph [size, size]: a path plus random edges."""
    edge = np.triu(rng.random((size, size)) < density, 1) | np.eye(size, k=1, dtype=bool)
    weights = edge * uniform(rng, size, size, low=0.1, high=2.0, digits=3)
    return laplacian(weights + weights.T)


def laplacian_tensor(inputs, dtype):
    """Dense Laplacian of a case's inputs, or None for the dot product."""
    if "laplacian" not in inputs:
        return None
    plain = map_tree(lambda a: a.numpy() if is_array(a) else a, inputs["laplacian"])
    return torch.tensor(to_dense(plain), dtype=dtype)
