"""Energies, tau and lambda in torch, differentiable (docs/definition.md, section 2)."""
import math

import numpy as np
import torch

TAU_FLOOR = 1e-10     # smallest tau any policy returns


def rayleigh_energy(x, lap, eps):
    """x [..., D], lap [D, D] -> max(0, x'Lx / (x'x + eps)) [...]."""
    return (((x @ lap) * x).sum(-1) / ((x * x).sum(-1) + eps)).clamp(min=0.0)


def select_tau(energies, policy):
    """One tau for a batch of energies, as the ArrowSpace paper means it.

    policy: {name: fixed | median | mean | percentile, value}. Non-finite energies are ignored;
    percentile p takes the sorted energy at index floor((n-1) p + 1/2). Result >= TAU_FLOOR.
    """
    finite = np.sort(energies[np.isfinite(energies)].ravel())
    if policy["name"] == "fixed":
        tau = policy["value"]
    elif finite.size == 0:
        tau = 0.0
    elif policy["name"] == "percentile":
        tau = finite[math.floor((finite.size - 1) * policy["value"] + 0.5)]
    else:
        tau = {"median": np.median, "mean": np.mean}[policy["name"]](finite)
    return max(float(tau), TAU_FLOOR)


def reference_tau(x, policy, eps):
    """Per-vector tau as the Rust reference computes it: x [..., D] -> [...].

    The median (or mean) is over the vector's own COMPONENTS, not over energies. Degenerate: a
    centred vector has a median near zero or below, so tau falls to max(TAU_FLOOR, eps) and every
    such lambda saturates at 1 - eps/E; scaling x scales tau although the energy does not change.
    """
    middle = {"reference_median": np.median, "reference_mean": np.mean}[policy["name"]](x, axis=-1)
    return np.maximum(np.maximum(middle, TAU_FLOOR), eps)


def tau_of(x, energy, policy, eps):
    """Tau under any policy, a constant for differentiation: broadcasts against energy [...]."""
    if policy["name"].startswith("reference_"):
        tau = reference_tau(x.detach().numpy(), policy, eps)
    else:
        tau = select_tau(energy.detach().numpy(), policy)
    return torch.as_tensor(tau, dtype=x.dtype)


def taumode(x, lap, policy, eps):
    """Spectral index of each vector: x [..., D] -> lambda = E / (E + tau) in [0, 1) [...]."""
    energy = rayleigh_energy(x, lap, eps)
    return energy / (energy + tau_of(x, energy, policy, eps))
