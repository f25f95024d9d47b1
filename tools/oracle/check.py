#!/usr/bin/env python3
"""Checks the oracle against independent computations and prints the largest error of each check:

    python3 tools/oracle/check.py [--fixtures DIR]

The last checks read the files of DIR, compute their values again from their own inputs with the O(T log T)
attention, and compare within the f64 tolerances. DIR is the repository's seed 1 by default.
"""
import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

from cases.attention import ATTENTION_INPUTS, BIAS_INPUTS, CLOCK_INPUTS
from cases.decode import expect_decode, expect_steps
from cases.format import from_json, grads_of, tensors
from cases.inputs import laplacian_tensor, random_laplacian
from cases.laplacian import expect_laplacian
from cases.model import expect_model, gated_weights, model_config, model_inputs, nano_models, random_weights, tau_models
from cases.rope import expect_rope
from cases.taumode import expect_taumode
from cases.training import expect_adamw, expect_training, optimizer_config
from tauformer.attention import clock_attention, lambda_attention, lambda_attention_backward
from tauformer.fast_attention import fast_attention, fast_bias_attention, fast_clock_attention
from tauformer.graphs import chain_laplacian, knn_weights, laplacian
from tauformer.model import LOGIT_CLAMP, cross_entropy, decode, forward, loss_and_grads, rope, rope_tables
from tauformer.optimizer import optimize
from tauformer.taumode import taumode

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench/peers"))
import torch_gpt

torch.set_num_threads(1)  # sums in one order


def report(name, error, bound):
    print(f"{'ok  ' if error <= bound else 'FAIL'} {name}: {error:.2e} (bound {bound:.0e})")
    return error <= bound


def gap(a, b):
    """Largest difference, relative to the largest element (absolute below 1)."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return np.abs(a - b).max(initial=0.0) / max(1.0, np.abs(b).max(initial=0.0))


def autograd_attention(inputs):
    """Output and gradients of the dense attention by torch autograd, in float64."""
    t = tensors(inputs, torch.float64)
    leaves = {name: t[name].clone().requires_grad_() for name in ATTENTION_INPUTS}
    out = lambda_attention(*leaves.values())
    return out.detach(), grads_of(out, t["r"], leaves)


def random_attention(rng, heads, kv_heads, tq, tk, size, temperature, gamma, levels=None, spread=1.0):
    """Random attention inputs; `levels` draws lambdas from that many distinct values (ties)."""
    def lam(*shape):
        return spread * (rng.random(shape) if levels is None else rng.integers(0, levels, shape) / levels)
    return {"lambda_q": lam(heads, tq), "lambda_k": lam(kv_heads, tk), "v": rng.normal(size=(kv_heads, tk, size)),
            "temperature": np.full(heads, temperature), "gamma": np.full(heads, gamma),
            "r": rng.normal(size=(heads, tq, size))}


def attention_errors(inputs):
    """Errors of the O(T log T) attention against dense autograd, by quantity.

    The temperature gradient is a sum that cancels (in the dense form too); its error is taken
    relative to the size of its terms.
    """
    out, grads = autograd_attention(inputs)
    fast, found = fast_attention(*(inputs[name] for name in ATTENTION_INPUTS), inputs["r"])
    errors = {"out": gap(fast, out), **{name: gap(found[name], grads[name]) for name in ATTENTION_INPUTS}}
    terms = sum(np.abs(inputs[name] * found[name]).sum() for name in ("lambda_q", "lambda_k"))
    difference = np.abs(found["temperature"] - np.asarray(grads["temperature"])).max()
    return {**errors, "temperature": difference / max(1.0, terms / inputs["temperature"].min())}


def check_attention(rng):
    worst = dict.fromkeys(("out",) + ATTENTION_INPUTS, 0.0)
    for tq, tk in ((1, 1), (2, 2), (5, 5), (33, 33), (100, 100), (1, 50), (20, 61)):
        for temperature in (1.0, 0.05, 1e-3):
            for gamma, levels, spread in ((0.0, None, 1.0), (0.02, None, 1.0), (3.0, None, 1.0), (0.02, 4, 1.0),
                                          (0.02, 1, 1.0), (0.0, None, 50.0)):
                inputs = random_attention(rng, 2, 1, tq, tk, 3, temperature, gamma, levels, spread)
                for name, error in attention_errors(inputs).items():
                    worst[name] = max(worst[name], error)
    inputs = random_attention(rng, 4, 2, 33, 33, 4, 0.1, 0.1)
    hand = lambda_attention_backward(
        *(torch.tensor(inputs[name]) for name in ATTENTION_INPUTS), torch.tensor(inputs["r"]))
    _, grads = autograd_attention(inputs)
    results = [report(f"O(T log T) against dense, {name}", error, 1e-9) for name, error in worst.items()]
    by_hand = max(gap(hand[name], grads[name]) for name in ATTENTION_INPUTS)
    return results + [report("hand-written dense gradients", by_hand, 1e-12)]


def check_scaling(rng):
    """Time ratio when T doubles: about 2 for T log T, 4 for T^2."""
    seconds = []
    for t in (1024, 2048, 4096):
        inputs = random_attention(rng, 1, 1, t, t, 4, 0.05, 0.01)
        start = time.perf_counter()
        fast_attention(*(inputs[name] for name in ATTENTION_INPUTS), inputs["r"])
        seconds.append(time.perf_counter() - start)
    return [report("time ratio T=2048 / 1024", seconds[1] / seconds[0], 3.2),
            report("time ratio T=4096 / 2048", seconds[2] / seconds[1], 3.2)]


def check_taumode(rng):
    lap, x, eps, tau = random_laplacian(rng, 12), rng.normal(size=(6, 12)), 1e-6, 0.7
    edges = [(i, j, -lap[i, j]) for i in range(12) for j in range(i)]
    energy = [sum(w * (row[i] - row[j]) ** 2 for i, j, w in edges) / (row @ row + eps) for row in x]
    lam = np.array(energy) / (np.array(energy) + tau)
    leaf = torch.tensor(x).requires_grad_()
    found = taumode(leaf, torch.tensor(lap), {"name": "fixed", "value": tau}, eps)
    grad = torch.autograd.grad(found.sum(), leaf)[0]
    slope = (1 - lam) ** 2 / tau
    formula = (slope * 2 / ((x * x).sum(1) + eps))[:, None] * (x @ lap - np.array(energy)[:, None] * x)
    return [report("taumode against the sum over edges", gap(found.detach(), lam), 1e-12),
            report("taumode gradient formula", gap(grad, formula), 1e-12)]


def check_rope(rng):
    x, start = rng.normal(size=(5, 8)), 3
    angle = (start + np.arange(5))[:, None] * 10000.0 ** (-np.arange(4) / 4)
    turned = (x[:, :4] + 1j * x[:, 4:]) * np.exp(-1j * angle)
    return [report("rope against complex rotation", gap(rope(torch.tensor(x), start),
                                                        np.concatenate([turned.real, turned.imag], 1)), 1e-12)]


def check_models(seed):
    """Decode = forward; autograd = central differences along random directions; clamps really act."""
    results, worst_decode, worst_grad = [], 0.0, 0.0
    rng = np.random.default_rng(seed)
    for models in (tau_models(rng), nano_models(rng)):
        for name, inputs in models.items():
            m = tensors(inputs, torch.float64)
            lap, weights, config = laplacian_tensor(m, torch.float64), m["weights"], m["config"]
            full = forward(weights, config, lap, m["tokens"], True)
            steps, _ = decode(weights, config, lap, m["tokens"], 0, True)
            worst_decode = max(worst_decode, gap(steps.transpose(0, 1), full))
            if not name.startswith(("clamps", "reference_median")):  # smooth, and tau not a function of x
                worst_grad = max(worst_grad, directional_error(m, lap, rng))
            if name == "clamps_active":
                results.append(report(f"{config['attention']}: largest logit equals the clamp",
                                      abs(float(forward(weights, config, lap, m["tokens"], False).abs().max())
                                          - LOGIT_CLAMP), 0.0))
    return results + [report("decode against forward", worst_decode, 1e-12),
                      report("model gradients against finite differences", worst_grad, 1e-6)]


def directional_error(m, lap, rng, step=1e-6):
    """Relative error of the loss gradient along one random direction in weight space."""
    def loss(weights):
        logits = forward(weights, m["config"], lap, m["tokens"], True)
        return float(cross_entropy(logits, m["targets"]))
    direction = {n: torch.tensor(rng.normal(size=w.shape)) / math.sqrt(w.numel()) for n, w in m["weights"].items()}
    up, down = ({n: w + s * step * direction[n] for n, w in m["weights"].items()} for s in (1, -1))
    _, grads = loss_and_grads(m["weights"], m["config"], lap, m["tokens"], m["targets"])
    slope = sum(float((grads[n] * direction[n]).sum()) for n in grads)
    return abs((loss(up) - loss(down)) / (2 * step) - slope) / max(1e-2, abs(slope))


def check_bias(rng):
    """A bias per key against a softmax written out pair by pair; a bias that grows like the clock is the clock."""
    lq, lk, v = rng.random((1, 9)), rng.random((1, 9)), rng.normal(size=(1, 9, 2))
    clock, bias, worst = np.cumsum(rng.random((1, 9)), 1), rng.normal(size=(1, 9)), 0.0
    out = clock_attention(*(torch.tensor(a) for a in (lq, lk, v)), 0.1, torch.tensor(clock), torch.tensor(bias))
    for i in range(9):
        w = [math.exp(-abs(lq[0, i] - lk[0, j]) / 0.1 - clock[0, i] + clock[0, j] + bias[0, j]) for j in range(i + 1)]
        row = sum(wj * v[0, j] for j, wj in enumerate(w)) / sum(w)
        worst = max(worst, gap(row, out[0, i]))
    moved = fast_bias_attention(lq, lk, v, np.array([0.1]), np.zeros_like(clock), clock + bias, v)[0]
    rng = np.random.default_rng(5)
    config = model_config("tau_gated", 13, 2, 4, 2, 4, key_bias=True, rope=False)
    errors = []
    for score in ("tau", "dot"):
        c = {**config, "score": score, "eps": 1e-6}
        m = tensors({**model_inputs(rng, c, length=7), "weights": gated_weights(rng, c)}, torch.float64)
        errors.append(directional_error(m, torch.tensor(chain_laplacian(4)), rng))
    return [report("bias per key against pairs written out", worst, 1e-12),
            report("a bias may carry the clock", gap(moved, out), 1e-12),
            report("gradients with bias, tau and dot", max(errors), 1e-6)]


def check_graphs(rng):
    """Against scipy's Laplacians and scikit-learn's neighbors, where installed."""
    try:
        from scipy.sparse.csgraph import laplacian as scipy_laplacian
        from sklearn.neighbors import NearestNeighbors
    except ImportError:
        print("skip graph checks: scipy or scikit-learn missing")
        return []
    x = rng.normal(size=(20, 15))
    weights = knn_weights(x, 4, eps=0.8)
    weights[3] = weights[:, 3] = 0.0
    results = [report("D - W against scipy", gap(laplacian(weights), scipy_laplacian(weights)), 1e-13),
               report("normalized against scipy", gap(laplacian(weights, "sym"),
                                                      scipy_laplacian(weights, normed=True)), 1e-13)]
    reach = NearestNeighbors(n_neighbors=4, metric="cosine").fit(x.T).kneighbors_graph().toarray()
    mine = knn_weights(x, 4, metric="cosine_unrectified") > 0
    return results + [report("neighbors against scikit-learn", float((mine != ((reach + reach.T) > 0)).sum()), 0.0)]


def check_optimizer(rng):
    params = {"a": torch.tensor(rng.normal(size=(4, 3))), "b": torch.tensor(rng.normal(size=(2, 5)))}
    leaves = {n: p.clone().requires_grad_() for n, p in params.items()}
    torch_adamw = torch.optim.AdamW(leaves.values(), lr=0.02, betas=(0.9, 0.95), weight_decay=0.1)
    settings, worst = optimizer_config(peak=0.02, floor=0.02, warmup=0, clip=0.7), 0.0
    grads = [{n: torch.tensor(rng.normal(size=p.shape)) for n, p in params.items()} for _ in range(10)]
    for (norm, _, now), g in zip(optimize(params, lambda s, _: grads[s], settings, 10), grads):
        for n, leaf in leaves.items():
            leaf.grad = g[n].clone()
        worst = max(worst, gap(norm, torch.nn.utils.clip_grad_norm_(leaves.values(), 0.7)))
        torch_adamw.step()
        worst = max(worst, *(gap(now[n], leaf.detach()) for n, leaf in leaves.items()))
    return [report("AdamW and clipping against torch", worst, 1e-12)]


def check_peer(rng):
    """The timed PyTorch model computes the oracle's logits, in one go and through its caches."""
    worst = 0.0
    for attention in ("dot", "tau"):
        args = torch_gpt.parse(f"--layers 2 --heads 4 --kv-heads 2 --embd 24 --vocab 31 --seq 9 --exact "
                                f"--attention {attention} --temperature 0.1".split())
        config = model_config(attention, 31, 2, 4, 2, 6, temperature=0.1)
        weights = tensors(random_weights(rng, config), torch.float64)
        peer, tokens = torch_gpt.PeerGpt(args).double(), torch.tensor(rng.integers(0, 31, size=(2, 9)))
        for name, table in zip(("cos", "sin"), rope_tables(0, 9, 6)):
            setattr(peer, name, table)
        peer.load_state_dict(weights)
        with torch.no_grad():
            expected = forward(weights, config, torch.tensor(chain_laplacian(6)), tokens, True)
            caches = [torch_gpt.Cache(9) for _ in range(2)]
            steps = [peer(tokens[:, t:t + 1], caches) for t in range(9)]
            worst = max(worst, gap(peer(tokens), expected), gap(torch.cat(steps, 1), expected))
    return [report("torch_gpt against the oracle", worst, 1e-12)]


def excess(expected, found, tolerance):
    """Largest |found - expected| / f64 tolerance over a tree of arrays."""
    if "f64" in tolerance:
        difference = np.abs(np.asarray(found, dtype=np.float64) - np.asarray(expected))
        return difference.max(initial=0.0) / tolerance["f64"]
    return max(excess(expected[key], found[key], tolerance[key]) for key in tolerance)


def recompute(group, case, models):
    """Expected values of a case from the inputs in its file."""
    inputs = from_json(case["inputs"])
    if group == "attention":
        out, grads = fast_attention(*(np.asarray(inputs[n], dtype=float) for n in ATTENTION_INPUTS), inputs["r"])
        return {"out": out, "grads": grads}
    if group == "attention_clock":
        out, grads = fast_clock_attention(
            *(np.asarray(inputs[n], dtype=float) for n in CLOCK_INPUTS), inputs["r"])
        return {"out": out, "grads": grads}
    if group == "attention_bias":
        out, grads = fast_bias_attention(
            *(np.asarray(inputs[n], dtype=float) for n in BIAS_INPUTS), inputs["r"])
        return {"out": out, "grads": grads}
    if group == "decode" and "fixture" in inputs:
        model = from_json(models[inputs["fixture"]][inputs["case"]]["inputs"])
        return expect_decode(model)(inputs, torch.float64)
    expect = {"taumode": expect_taumode, "rope": expect_rope, "laplacian": expect_laplacian,
              "model_tau": expect_model, "model_nano": expect_model,
              "model_gated": expect_model, "model_bias": expect_model, "adamw": expect_adamw,
              "train_trace": expect_training, "decode": expect_steps}[group]
    return expect(tensors(inputs, torch.float64), torch.float64)


def check_fixtures(folder):
    files = {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    models = {name: {case["name"]: case for case in file["cases"]} for name, file in files.items()}
    results = []
    for name, file in files.items():
        worst = max(excess(from_json(case["expected"]), recompute(file["group"], case, models),
                           case["tolerance"]) for case in file["cases"])
        results.append(report(f"{name}, {len(file['cases'])} cases, error / tolerance", worst, 1.0))
    return results


def main():
    parser = argparse.ArgumentParser(description="Check the oracle.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fixtures", type=Path, default=Path(__file__).parent / "fixtures")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    results = (check_attention(rng) + check_scaling(rng) + check_taumode(rng) + check_rope(rng)
               + check_models(args.seed) + check_bias(rng) + check_graphs(rng) + check_optimizer(rng) + check_peer(rng))
    results += check_fixtures(args.fixtures)
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
