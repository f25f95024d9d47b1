"""Graph Laplacians in numpy (docs/definition.md, section 1).

A sparse matrix is a dict {size, row, col, value}, sorted by (row, col), with every diagonal entry present.
F is the number of nodes, which are the columns of x [N, F].
"""
import math

import numpy as np

WEIGHT_FLOOR = 1e-12  # smaller graph weights are dropped


def to_coo(matrix):
    """Dense [F, F] -> sparse dict; keeps non-zeros and the whole diagonal."""
    row, col = np.nonzero((matrix != 0) | np.eye(len(matrix), dtype=bool))
    return {"size": len(matrix), "row": row, "col": col, "value": matrix[row, col]}


def to_dense(coo):
    """Sparse dict -> dense [F, F]."""
    matrix = np.zeros((coo["size"], coo["size"]))
    matrix[coo["row"], coo["col"]] = coo["value"]
    return matrix


def laplacian(weights, normalization="none"):
    """Symmetric weights [F, F] -> Laplacian [F, F]; an isolated node gets a zero row.

    none: D - W;  sym: I - D^-1/2 W D^-1/2;  rw: I - D^-1 W.
    """
    degree = weights.sum(1)
    if normalization == "none":
        return np.diag(degree) - weights
    safe = np.where(degree > 0, degree, 1.0)
    left, right = {"sym": (safe ** -0.5, safe ** -0.5), "rw": (1 / safe, np.ones_like(safe))}[normalization]
    return np.diag((degree > 0) * 1.0) - left[:, None] * weights * right[None, :]


def chain_laplacian(size):
    """Path graph 0 - 1 - ... - size-1 with unit weights [F, F]."""
    return laplacian(np.eye(size, k=1) + np.eye(size, k=-1))


def principal_laplacian(coo, nodes):
    """Laplacian of the subgraph that `nodes` span: same weights, degrees recomputed."""
    weights = -to_dense(coo)[np.ix_(nodes, nodes)]
    np.fill_diagonal(weights, 0.0)
    return laplacian(weights)


def pairwise_distance(x, metric):
    """Distances between the columns of x [N, F] -> [F, F], never below 0.

    cosine: 1 - max(0, cos), a zero column has cosine 0 with all;  cosine_unrectified: 1 - cos;
    euclidean: |x_i - x_j|.
    """
    if metric == "euclidean":
        return np.sqrt(((x[:, :, None] - x[:, None, :]) ** 2).sum(0))
    norm = np.sqrt((x ** 2).sum(0))
    unit = x / np.where(norm > 0, norm, 1.0)
    lowest = -1.0 if metric == "cosine_unrectified" else 0.0
    return 1.0 - np.clip(unit.T @ unit, lowest, 1.0)


def kernel_weight(distance, kernel, sigma, p=2.0):
    """rational: 1 / (1 + (d/sigma)^p);  gaussian: exp(-d^2 / (2 sigma^2))."""
    if kernel == "gaussian":
        return np.exp(-distance ** 2 / (2 * sigma ** 2))
    return 1.0 / (1.0 + (distance / sigma) ** p)


def nearest(distance, node, k, eps):
    """At most k nearest other nodes within eps (None: no bound); ties go to the smaller index."""
    others = [j for j in np.argsort(distance[node], kind="stable") if j != node][:k]
    return [j for j in others if eps is None or distance[node, j] <= eps]


def strongest_half(node, neighbors, weight, degree):
    """ArrowSpace's inline sparsification: keep the better half by weight * sqrt(deg_i deg_j)."""
    if len(neighbors) <= 2:
        return neighbors
    score = [-weight[node, j] * math.sqrt(degree[node] * degree[j]) for j in neighbors]
    order = np.argsort(score, kind="stable")
    return [neighbors[n] for n in order[:max(1, len(neighbors) // 2)]]


def knn_weights(x, k, eps=None, metric="cosine", kernel="rational", sigma=1.0, p=2.0, sparsify=False):
    """Symmetric k-nearest-neighbor weights between the columns of x [N, F] -> [F, F]."""
    distance = pairwise_distance(x, metric)
    weight = kernel_weight(distance, kernel, sigma, p)
    lists = [nearest(distance, i, k, eps) for i in range(len(distance))]
    degree = [len(neighbors) for neighbors in lists]
    if sparsify and np.mean(degree) > 10:
        lists = [strongest_half(i, n, weight, degree) for i, n in enumerate(lists)]
    union = np.zeros_like(weight)
    for i, neighbors in enumerate(lists):
        for j in neighbors:
            if weight[i, j] > WEIGHT_FLOOR:
                union[i, j] = union[j, i] = weight[i, j]
    return union


def feature_laplacian(x, normalization="none", **graph):
    """ArrowSpace graph Laplacian over the features (columns) of x [N, F] -> [F, F]."""
    return laplacian(knn_weights(x, **graph), normalization)
