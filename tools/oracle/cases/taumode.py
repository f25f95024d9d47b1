"""Group taumode."""
import numpy as np

from cases.format import grads_of, make_case
from cases.inputs import laplacian_tensor, manifold_laplacian, normal, random_laplacian, uniform
from tauformer.graphs import chain_laplacian, to_coo
from tauformer.taumode import rayleigh_energy, tau_of, taumode

POLICIES = [
    {"name": "fixed", "value": 1.0}, {"name": "fixed", "value": 0.05},
    {"name": "median"}, {"name": "mean"},
    {"name": "percentile", "value": 0.25}, {"name": "percentile", "value": 0.9},
    {"name": "reference_median"}, {"name": "reference_mean"},
]


def expect_taumode(inputs, dtype):
    lap, eps, by_policy = laplacian_tensor(inputs, dtype), inputs["eps"], {}
    for policy in inputs["policies"]:
        x = inputs["x"].clone().requires_grad_()
        energy = rayleigh_energy(x, lap, eps)
        lam = taumode(x, lap, policy, eps)
        key = "_".join(str(value) for value in policy.values())
        by_policy[key] = {"tau": tau_of(x, energy, policy, eps), "lambda": lam.detach(),
                          "grad_x": grads_of(lam, inputs["r"], {"x": x})["x"]}
    return {"energy": energy.detach(), "policies": by_policy}


def taumode_case(rng, name, lap, x, policies=POLICIES):
    inputs = {"laplacian": to_coo(lap), "eps": 1e-6, "policies": policies, "x": x,
              "r": normal(rng, len(x), digits=3)}
    return make_case(name, inputs, expect_taumode)


def edge_vectors(rng, size):
    """zero, constant, huge, tiny, one-hot, alternating, huge constant, smooth ramp [8, size]."""
    x = normal(rng, 2, size, digits=3)
    return np.stack([np.zeros(size), np.ones(size), 1e18 * x[0], 1e-18 * x[1], np.eye(size)[0],
                     (-1.0) ** np.arange(size), np.full(size, 2.0 ** 40), np.arange(size) / size])


def taumode_group(rng):
    fixed = POLICIES[:2]
    constant = np.repeat([[1.0], [2.0], [-4.0]], 8, axis=1)
    return [
        taumode_case(rng, "chain_d1", chain_laplacian(1), normal(rng, 3, 1), fixed),
        taumode_case(rng, "chain_d16", chain_laplacian(16), normal(rng, 12, 16)),
        taumode_case(rng, "chain_d7_odd_count", chain_laplacian(7), normal(rng, 5, 7)),
        taumode_case(rng, "random_d24", random_laplacian(rng, 24), normal(rng, 16, 24)),
        taumode_case(rng, "random_d24_positive", random_laplacian(rng, 24), uniform(rng, 16, 24)),
        taumode_case(rng, "manifold_d64", manifold_laplacian(), normal(rng, 9, 64)),
        taumode_case(rng, "edges_chain_d8", chain_laplacian(8), edge_vectors(rng, 8)),
        taumode_case(rng, "edges_manifold_d64", manifold_laplacian(), edge_vectors(rng, 64), fixed),
        taumode_case(rng, "constant_only", chain_laplacian(8), constant),
        taumode_case(rng, "zero_only", chain_laplacian(8), np.zeros((3, 8))),
    ]
