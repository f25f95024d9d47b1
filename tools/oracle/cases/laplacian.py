"""Group laplacian."""
import numpy as np

from cases.format import make_case
from cases.inputs import normal
from tauformer.graphs import feature_laplacian, pairwise_distance, to_coo


def expect_laplacian(inputs, _):
    x, params = np.asarray(inputs["x"], dtype=np.float64), inputs["params"]
    check_separation(x, params)
    return to_coo(feature_laplacian(x, **params))


def check_separation(x, params, margin=1e-6):
    """Refuse data whose neighbor choice hangs on rounding (zero columns, always at distance 1, excepted)."""
    distance = pairwise_distance(x, params["metric"])
    for row in distance:
        near = np.unique(np.round(np.sort(row)[1:], 9))
        gaps = np.diff(near)
        assert gaps.size == 0 or gaps.min() > margin, "ambiguous neighbors"
        assert params["eps"] is None or np.abs(near - params["eps"]).min() > margin, "distance at eps"


def laplacian_group(rng):
    def case(name, x, k, eps=None, metric="cosine", kernel="rational", sigma=0.5, p=2.0,
             sparsify=False, normalization="none"):
        params = dict(k=k, eps=eps, metric=metric, kernel=kernel, sigma=sigma, p=p,
                      sparsify=sparsify, normalization=normalization)
        return make_case(name, {"x": x, "params": params}, expect_laplacian)

    def clustered(samples, features):
        return 0.6 * normal(rng, samples, 1) + normal(rng, samples, features)

    x, wide, close = clustered(12, 10), clustered(40, 20), np.abs(clustered(9, 8)) + 0.1
    holes = np.concatenate([close, np.zeros((9, 1))], axis=1)
    return [
        case("knn3", close, 3),
        case("knn3_eps_isolates", x, 3, eps=0.55),
        case("eps_none_left", x, 4, eps=0.001),
        case("manifold_params", wide, 15, eps=1.31, metric="cosine_unrectified", sigma=0.535, p=1.8),
        case("sparsified", wide, 15, eps=0.98, metric="cosine_unrectified", sigma=0.535, p=1.8, sparsify=True),
        case("not_sparsified_below_degree_10", x, 9, sparsify=True),
        case("rectified_ties_at_one", x, 9, eps=1.31, sigma=0.535, p=1.8),
        case("ties_go_to_smaller_index", x, 5),
        case("zero_column", holes, 4, eps=0.9, p=1.5),
        case("weight_floor", close, 7, sigma=1e-5, p=3.0),
        case("tiny_two_by_two", np.array([[1.0, 0.5], [0.25, 2.0]]), 1),
        case("sym_normalised", close, 3, normalization="sym"),
        case("rw_normalised_isolated", x, 3, eps=0.55, normalization="rw"),
        case("sym_normalised_isolated", x, 3, eps=0.55, normalization="sym"),
        case("gaussian_euclidean", close, 4, metric="euclidean", kernel="gaussian", sigma=1.5),
        case("gaussian_full_sym", close, 7, metric="euclidean", kernel="gaussian", sigma=1.0, normalization="sym"),
        case("gaussian_cosine_rw", close, 4, kernel="gaussian", sigma=0.3, normalization="rw"),
    ]
