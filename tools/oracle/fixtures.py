"""Golden fixtures of the oracle: the JSON format, the tolerances and the cases of every group."""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch

import oracle

# ---------------------------------------------------------------------------------------------
# Fixture plumbing
# ---------------------------------------------------------------------------------------------

def is_array(x):
    return isinstance(x, (np.ndarray, torch.Tensor))


def is_float(x):
    return is_array(x) and np.asarray(x).dtype.kind == "f"


def map_tree(f, tree):
    """Apply f to every leaf of nested dicts and lists."""
    if isinstance(tree, dict):
        return {key: map_tree(f, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [map_tree(f, value) for value in tree]
    return f(tree)


def round9(x):
    """9 significant digits, for arrays and floats; everything else passes."""
    if is_float(x):
        a = np.asarray(x, dtype=np.float64)
        return np.array([float(f"{value:.9g}") for value in a.ravel()]).reshape(a.shape)
    return float(f"{x:.9g}") if isinstance(x, float) else x


def to_json(tree):
    """Arrays become {"shape", "data"}; floats keep 9 significant digits."""
    def leaf(x):
        x = round9(x)
        return {"shape": list(x.shape), "data": np.asarray(x).ravel().tolist()} if is_array(x) else x
    return map_tree(leaf, tree)


def from_json(tree):
    """Inverse of to_json."""
    if isinstance(tree, dict) and set(tree) == {"shape", "data"}:
        return np.array(tree["data"]).reshape(tree["shape"])
    if isinstance(tree, dict):
        return {key: from_json(value) for key, value in tree.items()}
    return [from_json(value) for value in tree] if isinstance(tree, list) else tree


def tensors(tree, dtype):
    """Float arrays -> tensors of `dtype`, integer arrays -> int64 tensors."""
    def leaf(x):
        return torch.tensor(np.asarray(x), dtype=dtype if is_float(x) else torch.int64) if is_array(x) else x
    return map_tree(leaf, tree)


def tolerances(exact, single, relative, noise, key=None):
    """Absolute tolerances {f64, f32} for every float array, from the error of a float32 run `single`.

    relative: smallest float32 tolerance, relative to the array's largest element.
    noise: {key: absolute float32 rounding noise} for arrays that may vanish in exact arithmetic.
    """
    if isinstance(exact, dict):
        pairs = {key: tolerances(exact[key], single[key], relative, noise, key) for key in exact}
        return {key: pair for key, pair in pairs.items() if pair}
    if not is_float(exact):
        return None
    exact, single = np.asarray(exact, dtype=np.float64), np.asarray(single, dtype=np.float64)
    size, error = np.abs(exact).max(initial=0.0), np.abs(exact - single).max(initial=0.0)
    wide = max(noise.get(key, 0.0), 10 * error if np.isfinite(error) else 0.0)  # not finite: overflow
    return {"f64": float(f"{max(1e-8 * size, 1e-7 * wide, 1e-13):.1e}"),
            "f32": float(f"{max(relative * size, wide, 1e-9):.1e}")}


def make_case(name, inputs, expect, relative=1e-5, noise=lambda exact: {}):
    """One fixture case; expect(inputs, dtype) -> dict of outputs, run in float64 and in float32."""
    inputs = map_tree(round9, inputs)  # the oracle sees exactly the numbers that are written
    exact, single = (expect(tensors(inputs, dtype), dtype) for dtype in (torch.float64, torch.float32))
    return {"name": name, "inputs": to_json(inputs), "expected": to_json(exact),
            "tolerance": tolerances(exact, single, relative, noise(exact))}


def grads_of(output, weight, wrt):
    """Gradients of sum(output * weight) for the dict of leaves `wrt`."""
    return dict(zip(wrt, torch.autograd.grad((output * weight).sum(), list(wrt.values()))))


def normal(rng, *shape, scale=1.0, digits=5):
    """Gaussian array with few decimals, so that it is short in JSON and read back exactly."""
    return np.round(scale * rng.normal(size=shape), digits)


def uniform(rng, *shape, low=0.0, high=1.0, digits=6):
    return np.round(rng.uniform(low, high, size=shape), digits)


# ---------------------------------------------------------------------------------------------
# Fixture groups: each function takes a generator and returns the list of cases
# ---------------------------------------------------------------------------------------------

MANIFOLD64 = Path(__file__).parent / "manifold64.json"


def best_connected(coo, count):
    """The `count` nodes with most neighbours, ascending; ties go to the smaller index."""
    neighbours = (oracle.to_dense(coo) != 0).sum(1)
    return np.sort(np.argsort(-neighbours, kind="stable")[:count])


def write_manifold64(coo_path):
    """Write the Laplacian spanned by the 64 best connected features of a manifold {n, row, col, value}."""
    source = json.loads(Path(coo_path).read_text())
    coo = {"size": source["n"], **{key: np.array(source[key]) for key in ("row", "col", "value")}}
    nodes = best_connected(coo, 64)
    matrix = oracle.to_coo(oracle.principal_laplacian(coo, nodes))
    MANIFOLD64.write_text(json.dumps(to_json({"nodes": nodes, **matrix})) + "\n")


def manifold_laplacian(size=64):
    """Laplacian [size, size] of the best connected part of the reference manifold."""
    coo = from_json(json.loads(MANIFOLD64.read_text()))
    return oracle.principal_laplacian(coo, best_connected(coo, size))


def random_laplacian(rng, size, density=0.3):
    """Laplacian of a random connected graph [size, size]: a path plus random edges."""
    edge = np.triu(rng.random((size, size)) < density, 1) | np.eye(size, k=1, dtype=bool)
    weights = edge * uniform(rng, size, size, low=0.1, high=2.0, digits=3)
    return oracle.laplacian(weights + weights.T)


POLICIES = [
    {"name": "fixed", "value": 1.0}, {"name": "fixed", "value": 0.05},
    {"name": "median"}, {"name": "mean"},
    {"name": "percentile", "value": 0.25}, {"name": "percentile", "value": 0.9},
    {"name": "reference_median"}, {"name": "reference_mean"},
]


def laplacian_tensor(inputs, dtype):
    """Dense Laplacian of a case's inputs, or None for the dot baseline."""
    if "laplacian" not in inputs:
        return None
    plain = map_tree(lambda a: a.numpy() if is_array(a) else a, inputs["laplacian"])
    return torch.tensor(oracle.to_dense(plain), dtype=dtype)


def expect_taumode(inputs, dtype):
    lap, eps, by_policy = laplacian_tensor(inputs, dtype), inputs["eps"], {}
    for policy in inputs["policies"]:
        x = inputs["x"].clone().requires_grad_()
        energy = oracle.rayleigh_energy(x, lap, eps)
        lam = oracle.taumode(x, lap, policy, eps)
        key = "_".join(str(value) for value in policy.values())
        by_policy[key] = {"tau": oracle.tau_of(x, energy, policy, eps), "lambda": lam.detach(),
                          "grad_x": grads_of(lam, inputs["r"], {"x": x})["x"]}
    return {"energy": energy.detach(), "policies": by_policy}


def taumode_case(rng, name, lap, x, policies=POLICIES):
    inputs = {"laplacian": oracle.to_coo(lap), "eps": 1e-6, "policies": policies, "x": x,
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
        taumode_case(rng, "chain_d1", oracle.chain_laplacian(1), normal(rng, 3, 1), fixed),
        taumode_case(rng, "chain_d16", oracle.chain_laplacian(16), normal(rng, 12, 16)),
        taumode_case(rng, "chain_d7_odd_count", oracle.chain_laplacian(7), normal(rng, 5, 7)),
        taumode_case(rng, "random_d24", random_laplacian(rng, 24), normal(rng, 16, 24)),
        taumode_case(rng, "random_d24_positive", random_laplacian(rng, 24), uniform(rng, 16, 24)),
        taumode_case(rng, "manifold_d64", manifold_laplacian(), normal(rng, 9, 64)),
        taumode_case(rng, "edges_chain_d8", oracle.chain_laplacian(8), edge_vectors(rng, 8)),
        taumode_case(rng, "edges_manifold_d64", manifold_laplacian(), edge_vectors(rng, 64), fixed),
        taumode_case(rng, "constant_only", oracle.chain_laplacian(8), constant),
        taumode_case(rng, "zero_only", oracle.chain_laplacian(8), np.zeros((3, 8))),
    ]


ATTENTION_INPUTS = ("lambda_q", "lambda_k", "v", "temperature", "gamma")


def expect_attention(inputs, dtype):
    """The dense attention; in float32 (for the tolerances only) the O(T log T) one."""
    values = [inputs[name] for name in ATTENTION_INPUTS]
    if dtype == torch.float32:
        out, grads = oracle.fast_attention(*(value.numpy() for value in values), inputs["r"].numpy())
    else:
        out, grads = oracle.lambda_attention(*values), oracle.lambda_attention_backward(*values, inputs["r"])
    return {"out": out, "grads": grads}


def attention_noise(inputs):
    """Float32 noise of gradients that may cancel: rounding unit times the size of their terms."""
    lq, lk = (torch.tensor(inputs[name].copy()) for name in ("lambda_q", "lambda_k"))
    hidden = oracle.causal_age(lq.shape[1], lk.shape[1]) < 0
    gap = (lq[:, :, None] - oracle.repeat_heads(lk, len(lq), 0)[:, None, :]).abs().masked_fill(hidden, math.inf)
    unit = 1e-7 * inputs["v"].shape[-1] * np.abs(inputs["v"]).max() * np.abs(inputs["r"]).max()
    slope = unit / inputs["temperature"].min()
    nearest_gap = float(gap.amin(-1).mean()) / inputs["temperature"].min()
    return {"lambda_q": slope, "lambda_k": slope, "temperature": slope * nearest_gap, "gamma": unit}


def attention_case(rng, name, lq, lk, size, temperature, gamma):
    """lq [H, Tq], lk [Hkv, Tk]; head size `size`; temperature and gamma scalars or [H]."""
    heads, tq = lq.shape
    inputs = {"lambda_q": lq, "lambda_k": lk, "v": normal(rng, *lk.shape, size, digits=3),
              "temperature": temperature * np.ones(heads), "gamma": gamma * np.ones(heads),
              "r": normal(rng, heads, tq, size, digits=3)}
    return make_case(name, inputs, expect_attention, noise=lambda exact: attention_noise(inputs))


def attention_group(rng):
    cases = []
    sizes = [(1, 1, 1, 1), (2, 3, 2, 1), (3, 2, 4, 2), (7, 5, 6, 3), (16, 16, 2, 2), (33, 4, 4, 2),
             (64, 8, 2, 1), (130, 6, 2, 1), (257, 16, 1, 1)]
    for t, d, h, hkv in sizes:
        for temperature in (1.0, 0.05, 1e-3):
            for gamma in (0.0, 0.02):
                lq, lk = uniform(rng, h, t), uniform(rng, hkv, t)
                name = f"t{t}_d{d}_h{h}_kv{hkv}_temp{temperature}_gamma{gamma}"
                cases.append(attention_case(rng, name, lq, lk, d, temperature, gamma))
    return cases + special_attention_cases(rng)


def special_attention_cases(rng):
    """Ties, adversarial orders, far apart lambdas, strong decay, per-head settings, key offsets."""
    def case(name, lq, lk, size=4, temperature=0.05, gamma=0.02):
        return attention_case(rng, name, lq, lk, size, temperature, gamma)

    def levels(*shape):
        return rng.integers(1, 5, size=shape) / 8

    ramp, same = np.arange(33) / 64, np.full((2, 33), 0.5)
    temps, decays = np.array([1.0, 0.2, 0.05, 1e-3]), np.array([0.0, 0.3, 0.01, 0.1])
    cases = [
        case("ties_duplicates", levels(2, 33), levels(2, 33)),
        case("ties_duplicates_cold", levels(2, 64), levels(1, 64), temperature=1e-3),
        case("ties_all_equal", same, same, gamma=0.0),
        case("ties_all_equal_decay", same, same, gamma=0.2),
        case("ties_query_equals_key", *2 * [uniform(rng, 2, 33)], temperature=1e-3),
        case("ascending", ramp[None], ramp[None]),
        case("descending", ramp[None, ::-1], ramp[None, ::-1], temperature=1e-3),
        case("opposed", ramp[None], ramp[None, ::-1], temperature=1e-3),
        case("far_apart", uniform(rng, 2, 64, high=40.0, digits=4), uniform(rng, 2, 64, high=40.0, digits=4),
             temperature=1e-3),
        case("far_apart_all_keys_below", 9 + uniform(rng, 2, 33), uniform(rng, 2, 33), temperature=1e-3),
        case("strong_decay", uniform(rng, 2, 130), uniform(rng, 1, 130), gamma=5.0),
        case("strong_decay_cold", uniform(rng, 2, 130), uniform(rng, 1, 130), temperature=1e-3, gamma=2.0),
        case("per_head", uniform(rng, 4, 33), uniform(rng, 2, 33), temperature=temps, gamma=decays),
        case("per_head_mqa", uniform(rng, 4, 64), uniform(rng, 1, 64), temperature=temps, gamma=decays),
    ]
    for tq, tk in ((1, 17), (5, 12), (7, 64), (64, 65)):
        cases.append(case(f"offset_q{tq}_k{tk}", uniform(rng, 2, tq), uniform(rng, 1, tk)))
        cases.append(case(f"offset_q{tq}_k{tk}_cold", uniform(rng, 2, tq), uniform(rng, 1, tk),
                          temperature=1e-3, gamma=0.0))
    return cases


CLOCK_INPUTS = ("lambda_q", "lambda_k", "v", "temperature", "clock")


def expect_clock(inputs, dtype):
    """Dense attention with a clock and autograd; in float32 (for the tolerances only) the O(T log T) one."""
    if dtype == torch.float32:
        out, grads = oracle.fast_clock_attention(*(inputs[name].numpy() for name in CLOCK_INPUTS), inputs["r"].numpy())
        return {"out": out, "grads": grads}
    leaves = {name: inputs[name].clone().requires_grad_() for name in CLOCK_INPUTS}
    out = oracle.clock_attention(*leaves.values())
    return {"out": out.detach(), "grads": grads_of(out, inputs["r"], leaves)}


def clock_case(rng, name, heads, kv_heads, tq, tk, size, temperature, rate):
    """Clocks run at `rate` per token on average, sometimes standing still, sometimes leaping."""
    steps = rate * rng.exponential(size=(heads, tk)) * (rng.random((heads, tk)) < 0.7)
    inputs = {"lambda_q": uniform(rng, heads, tq), "lambda_k": uniform(rng, kv_heads, tk),
              "v": normal(rng, kv_heads, tk, size, digits=3), "temperature": temperature * np.ones(heads),
              "clock": round9(np.cumsum(steps, 1)), "r": normal(rng, heads, tq, size, digits=3)}

    def noise(_):
        bound = attention_noise({**inputs, "gamma": np.zeros(heads)})
        bound["clock"] = bound.pop("gamma")
        return bound
    return make_case(name, inputs, expect_clock, noise=noise)


def attention_clock_group(rng):
    cases = []
    for tq, tk, size, heads, kv_heads in ((1, 1, 2, 2, 1), (7, 7, 5, 3, 3), (33, 33, 4, 4, 2), (130, 130, 6, 2, 1),
                                          (257, 257, 8, 1, 1), (5, 40, 4, 2, 2), (64, 65, 4, 2, 1)):
        for temperature in (1.0, 0.05, 1e-3):
            for rate in (0.01, 0.5, 30.0):
                name = f"q{tq}_k{tk}_d{size}_h{heads}_kv{kv_heads}_temp{temperature}_rate{rate}"
                cases.append(clock_case(rng, name, heads, kv_heads, tq, tk, size, temperature, rate))
    return cases


BIAS_INPUTS = CLOCK_INPUTS + ("bias",)


def expect_bias(inputs, dtype):
    """expect_clock with a bias per key."""
    if dtype == torch.float32:
        out, grads = oracle.fast_bias_attention(*(inputs[name].numpy() for name in BIAS_INPUTS), inputs["r"].numpy())
        return {"out": out, "grads": grads}
    leaves = {name: inputs[name].clone().requires_grad_() for name in BIAS_INPUTS}
    out = oracle.clock_attention(*leaves.values())
    return {"out": out.detach(), "grads": grads_of(out, inputs["r"], leaves)}


def bias_case(rng, name, heads, kv_heads, tq, tk, size, temperature, rate, spread, late=0.0):
    """A clock as in clock_case, and biases of standard deviation `spread`, most of both signs, some equal.

    late: added to the newest tenth of the keys (negative: the oldest), so that one end outweighs the other.
    """
    steps = rate * rng.exponential(size=(heads, tk)) * (rng.random((heads, tk)) < 0.7)
    bias = spread * rng.normal(size=(heads, tk)) * (rng.random((heads, tk)) < 0.9)
    tenth = max(1, tk // 10)
    bias[:, slice(tk - tenth, tk) if late > 0 else slice(0, tenth)] += abs(late)
    inputs = {"lambda_q": uniform(rng, heads, tq), "lambda_k": uniform(rng, kv_heads, tk),
              "v": normal(rng, kv_heads, tk, size, digits=3), "temperature": temperature * np.ones(heads),
              "clock": round9(np.cumsum(steps, 1)), "bias": round9(bias), "r": normal(rng, heads, tq, size, digits=3)}

    def noise(_):
        bound = attention_noise({**inputs, "gamma": np.zeros(heads)})
        bound["clock"] = bound["bias"] = bound.pop("gamma")
        return bound
    return make_case(name, inputs, expect_bias, noise=noise)


def attention_bias_group(rng):
    """Biases small and so large that they beat the distance, the clock and float32's exponent."""
    cases = []
    for tq, tk, size, heads, kv_heads in ((1, 1, 2, 2, 1), (7, 7, 5, 3, 3), (33, 33, 4, 4, 2), (130, 130, 8, 4, 4),
                                          (257, 257, 8, 1, 1), (1, 130, 4, 2, 1), (5, 40, 4, 2, 2), (64, 65, 4, 2, 1)):
        for temperature, rate, spread in ((0.05, 0.01, 1.0), (0.05, 0.5, 5.0), (1e-3, 0.01, 1.0), (1e-3, 30.0, 100.0), (1.0, 0.0, 0.3)):
            name = f"q{tq}_k{tk}_d{size}_h{heads}_kv{kv_heads}_temp{temperature}_rate{rate}_spread{spread}"
            cases.append(bias_case(rng, name, heads, kv_heads, tq, tk, size, temperature, rate, spread))
    for late in (-300.0, 300.0):
        for temperature, rate in ((0.05, 0.5), (1e-3, 3.0)):
            cases.append(bias_case(rng, f"late{late}_temp{temperature}_rate{rate}", 2, 1, 130, 130, 4, temperature, rate, 1.0, late))
    return cases


def gated_weights(rng, config):
    """random_weights of a tau_gated model: adds tau, temperature, c_f, c_g, and c_b with key_bias; no gamma."""
    weights, c, heads = random_weights(rng, config), config["n_embd"], config["n_head"]
    for layer in range(config["n_layer"]):
        name = f"blocks.{layer}.attn"
        weights[f"{name}.tau"] = uniform(rng, config["n_kv_head"], low=0.3, high=2.0, digits=4)
        weights[f"{name}.temperature"] = uniform(rng, heads, low=0.02, high=0.5, digits=4)
        weights[f"{name}.c_f.weight"] = normal(rng, heads, c, scale=0.5 / math.sqrt(c))
        weights[f"{name}.c_f.bias"] = round9(np.linspace(0.5, 5.5, heads))
        weights[f"{name}.c_g.weight"] = normal(rng, c, c, scale=1 / math.sqrt(c))
        if config.get("key_bias"):
            weights[f"{name}.c_b.weight"] = normal(rng, heads, c, scale=1 / math.sqrt(c))
        if config.get("manifold_dim"):
            for part, rows in (("c_q", heads), ("c_k", config["n_kv_head"])):
                weights[f"{name}.{part}.weight"] = normal(rng, rows * config["manifold_dim"], c, scale=1 / math.sqrt(c))
        if config.get("score") == "dot":
            del weights[f"{name}.tau"], weights[f"{name}.temperature"]
    return weights


def model_bias_group(rng):
    """Many narrow heads, a bias per key, RoPE off or on, M apart from D; the dot product with the same parts."""
    def case(name, lap, shape, length, **switches):
        config = model_config("tau_gated", *shape, eps=1e-6, **switches)
        config.pop("qk_layernorm", None)
        inputs = {**model_inputs(rng, config, lap, length=length), "weights": gated_weights(rng, config)}
        return make_case(name, inputs, expect_model, noise=gradient_noise)
    return [
        case("narrow_heads", oracle.chain_laplacian(4), (29, 2, 8, 8, 4), 12, key_bias=True, rope=False),
        case("narrow_gqa_rope", random_laplacian(rng, 6), (31, 2, 4, 2, 6), 12, key_bias=True, rope=True),
        case("wide_manifold", manifold_laplacian(16), (23, 1, 4, 2, 4), 16, key_bias=True, rope=False, manifold_dim=16),
        case("no_bias_no_rope", oracle.chain_laplacian(8), (29, 1, 2, 1, 8), 9, key_bias=False, rope=False),
        case("dot_all_parts", None, (29, 2, 4, 4, 6), 12, key_bias=True, rope=True, score="dot"),
        case("dot_gqa_no_rope", None, (31, 1, 4, 2, 4), 10, key_bias=True, rope=False, score="dot"),
    ]


def model_gated_group(rng):
    """The default model: forward, loss and every gradient."""
    cases = []
    for name, lap, shape, length in (("mha", oracle.chain_laplacian(8), (29, 2, 2, 2, 8), 9),
                                     ("gqa", random_laplacian(rng, 6), (31, 2, 4, 2, 6), 12),
                                     ("manifold", manifold_laplacian(16), (23, 1, 2, 1, 16), 16)):
        config = model_config("tau_gated", *shape, eps=1e-6)
        config.pop("qk_layernorm", None)
        inputs = {**model_inputs(rng, config, lap, length=length), "weights": gated_weights(rng, config)}
        cases.append(make_case(name, inputs, expect_model, noise=gradient_noise))
    return cases


def model_config(attention, vocab, layers, heads, kv_heads, head_size, **extra):
    config = {"attention": attention, "vocab_size": vocab, "n_layer": layers, "n_head": heads,
              "n_kv_head": kv_heads, "n_embd": heads * head_size, "rope_base": 10000.0}
    tau = {"tau": {"name": "fixed", "value": 1.0}, "eps": 1e-6, "temperature": 1.0}
    return {**config, **(tau if attention == "tau" else {"qk_layernorm": False}), **extra}


def random_weights(rng, config, scale=1.0, head_scale=1.0, per_head=False):
    """State dict of numpy arrays, Linear weights [out, in]."""
    c, heads = config["n_embd"], config["n_head"]
    kv = c // heads * config["n_kv_head"]
    spread = scale / math.sqrt(c)
    weights = {"wte.weight": normal(rng, config["vocab_size"], c)}
    for layer in range(config["n_layer"]):
        name = f"blocks.{layer}"
        for part, rows in (("c_q", c), ("c_k", kv), ("c_v", kv), ("c_proj", c)):
            weights[f"{name}.attn.{part}.weight"] = normal(rng, rows, c, scale=spread)
        if per_head:
            weights[f"{name}.attn.temperature"] = uniform(rng, heads, low=0.02, high=0.5, digits=4)
            weights[f"{name}.attn.gamma"] = uniform(rng, heads, low=0.01, high=0.4, digits=4)
        if config.get("qk_layernorm"):
            for part in ("qk_norm_q", "qk_norm_k"):
                weights[f"{name}.attn.{part}.weight"] = 1 + normal(rng, c // heads, scale=0.2, digits=4)
                weights[f"{name}.attn.{part}.bias"] = normal(rng, c // heads, scale=0.2, digits=4)
        weights[f"{name}.mlp.c_fc.weight"] = normal(rng, 4 * c, c, scale=spread)
        weights[f"{name}.mlp.c_proj.weight"] = normal(rng, c, 4 * c, scale=spread / 2)
    weights["lm_head.weight"] = normal(rng, config["vocab_size"], c, scale=spread * head_scale)
    return weights


def model_inputs(rng, config, lap=None, batch=2, length=9, **weights):
    """Everything a model case needs; targets are the tokens one step later."""
    text = rng.integers(0, config["vocab_size"], size=(batch, length + 1))
    inputs = {"config": config, "weights": random_weights(rng, config, **weights),
              "tokens": text[:, :-1], "targets": text[:, 1:]}
    return inputs if lap is None else {**inputs, "laplacian": oracle.to_coo(lap)}


def tau_models(rng):
    """Inputs of the model_tau.json cases by name."""
    median = {"tau": {"name": "reference_median"}}
    return {
        "chain_mha": model_inputs(rng, model_config("tau", 29, 2, 2, 2, 8), oracle.chain_laplacian(8)),
        "graph_gqa_per_head": model_inputs(rng, model_config("tau", 31, 2, 4, 2, 6), random_laplacian(rng, 6),
                                           length=12, per_head=True),
        "manifold_single_head": model_inputs(rng, model_config("tau", 23, 1, 1, 1, 16, temperature=0.05),
                                             manifold_laplacian(16), length=16),
        "reference_median_mqa": model_inputs(rng, model_config("tau", 13, 1, 3, 1, 4, **median),
                                             oracle.chain_laplacian(4), length=6),
        "clamps_active": model_inputs(rng, model_config("tau", 11, 1, 2, 1, 4, temperature=0.1),
                                      random_laplacian(rng, 4), length=7, scale=8.0, head_scale=4.0),
        "one_token": model_inputs(rng, model_config("tau", 7, 1, 2, 2, 2), oracle.chain_laplacian(2),
                                  batch=1, length=1),
    }


def nano_models(rng):
    """Inputs of the model_nano.json cases by name."""
    return {
        "mha": model_inputs(rng, model_config("dot", 29, 2, 2, 2, 8)),
        "gqa": model_inputs(rng, model_config("dot", 31, 2, 4, 2, 6), length=12),
        "reference_qk_layernorm": model_inputs(rng, model_config("dot", 19, 1, 4, 1, 4, qk_layernorm=True)),
        "clamps_active": model_inputs(rng, model_config("dot", 11, 1, 2, 1, 4), length=7, scale=8.0, head_scale=4.0),
    }


def expect_model(inputs, dtype):
    weights, config, tokens = inputs["weights"], inputs["config"], inputs["tokens"]
    lap = laplacian_tensor(inputs, dtype)
    plain, capped = (oracle.forward(weights, config, lap, tokens, softcap) for softcap in (False, True))
    loss, grads = oracle.loss_and_grads(weights, config, lap, tokens, inputs["targets"])
    return {"logits": plain, "logits_softcap": capped, "loss": loss,
            "loss_no_softcap": oracle.cross_entropy(plain, inputs["targets"]), "grads": grads}


def gradient_noise(exact):
    """Float32 noise of a weight gradient, from the largest of all weight gradients."""
    return dict.fromkeys(exact["grads"], 3e-7 * max(float(g.abs().max()) for g in exact["grads"].values()))


def model_tau_group(rng):
    return [make_case(name, inputs, expect_model, noise=gradient_noise)
            for name, inputs in tau_models(rng).items()]


def model_nano_group(rng):
    return [make_case(name, inputs, expect_model, noise=gradient_noise)
            for name, inputs in nano_models(rng).items()]


def expect_decode(model):
    """Step logits of a model; its weights stay in the model's own fixture."""
    def expect(inputs, dtype):
        m = tensors(map_tree(round9, model), dtype)
        lap = laplacian_tensor(m, dtype)
        logits, cache = oracle.decode(m["weights"], m["config"], lap, m["tokens"], inputs["prefix"], False)
        capped, _ = oracle.decode(m["weights"], m["config"], lap, m["tokens"], inputs["prefix"], True)
        cached = {"tau": "lambda_k", "dot": "k"}[m["config"]["attention"]]
        return {"logits": logits, "logits_softcap": capped,
                f"cache_{cached}": torch.stack([cache[layer][1] for layer in sorted(cache)])}
    return expect


def expect_steps(inputs, dtype):
    """The newest query of every prefix against all keys of that prefix [P, H, D]."""
    def step(n):
        return oracle.lambda_attention(inputs["lambda_q"][:, n - 1:n], inputs["lambda_k"][:, :n],
                                inputs["v"][:, :n], inputs["temperature"], inputs["gamma"])[:, 0]
    return {"out": torch.stack([step(n) for n in inputs["prefix_lengths"].tolist()])}


def steps_case(rng, heads, kv_heads, length, size, temperature, gamma):
    lengths = np.array([n for n in (1, 2, 3, 7, 16, 33, 64, 130) if n <= length])
    inputs = {"lambda_q": uniform(rng, heads, length), "lambda_k": uniform(rng, kv_heads, length),
              "v": normal(rng, kv_heads, length, size, digits=3), "temperature": temperature * np.ones(heads),
              "gamma": gamma * np.ones(heads), "prefix_lengths": lengths}
    return make_case(f"attention_h{heads}_kv{kv_heads}_t{length}_temp{temperature}_gamma{gamma}",
                     inputs, expect_steps)


def decode_group(rng_of):
    cases = [steps_case(rng_of("decode"), *args) for args in (
        (1, 1, 64, 4, 1.0, 0.0), (4, 2, 130, 8, 0.05, 0.02), (2, 1, 130, 3, 1e-3, 0.0))]
    for group, models in (("model_tau", tau_models), ("model_nano", nano_models)):
        for name, model in models(rng_of(group)).items():
            for prefix in sorted({0, model["tokens"].shape[1] // 2}):
                inputs = {"fixture": f"{group}.json", "case": name, "prefix": prefix}
                cases.append(make_case(f"{group}_{name}_prefix{prefix}", inputs, expect_decode(model)))
    return cases


def expect_rope(inputs, dtype):
    x = inputs["x"].clone().requires_grad_()
    out = oracle.rope(x, inputs["start"], inputs["base"])
    cos, sin = oracle.rope_tables(inputs["start"], x.shape[-2], x.shape[-1], inputs["base"], dtype)
    return {"cos": cos, "sin": sin, "out": out.detach(), "grad_x": grads_of(out, inputs["r"], {"x": x})["x"]}


def rope_group(rng):
    cases = []
    for shape, start, base in (((1, 1, 3, 2), 0, 1e4), ((2, 3, 9, 8), 0, 1e4), ((1, 2, 5, 6), 7, 1e4),
                               ((1, 1, 4, 64), 1000, 1e4), ((1, 2, 1, 16), 511, 1e4), ((1, 1, 6, 4), 3, 100.0)):
        inputs = {"x": normal(rng, *shape), "start": start, "base": base, "r": normal(rng, *shape, digits=3)}
        cases.append(make_case("x".join(map(str, shape)) + f"_start{start}_base{base:g}", inputs, expect_rope))
    return cases


def expect_laplacian(inputs, _):
    x, params = np.asarray(inputs["x"], dtype=np.float64), inputs["params"]
    check_separation(x, params)
    return oracle.to_coo(oracle.feature_laplacian(x, **params))


def check_separation(x, params, margin=1e-6):
    """Refuse data whose neighbour choice hangs on rounding (zero columns, always at distance 1, excepted)."""
    distance = oracle.pairwise_distance(x, params["metric"])
    for row in distance:
        near = np.unique(np.round(np.sort(row)[1:], 9))
        gaps = np.diff(near)
        assert gaps.size == 0 or gaps.min() > margin, "ambiguous neighbours"
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


def optimiser_config(peak=0.01, floor=0.001, warmup=3, total=10, betas=(0.9, 0.95), eps=1e-8,
                     weight_decay=0.1, clip=1.0):
    return {"schedule": {"peak": peak, "floor": floor, "warmup": warmup, "total": total},
            "betas": list(betas), "eps": eps, "weight_decay": weight_decay, "clip": clip}


def expect_adamw(inputs, _):
    grads = inputs["grads"]
    trace = list(oracle.optimise(dict(inputs["params"]), lambda step, __: {n: g[step] for n, g in grads.items()},
                          inputs["optimiser"], 10))
    norms, rates, params = zip(*trace)
    return {"grad_norm": torch.stack(norms), "learning_rate": torch.tensor(rates),
            "params": {n: torch.stack([p[n] for p in params]) for n in inputs["params"]}}


def adamw_group(rng):
    def case(name, scale=1.0, **optimiser):
        params = {"matrix": normal(rng, 4, 3), "vector": normal(rng, 5)}
        grads = {n: normal(rng, 10, *p.shape, scale=scale) for n, p in params.items()}
        inputs = {"params": params, "grads": grads, "optimiser": optimiser_config(**optimiser)}
        return make_case(name, inputs, expect_adamw)
    return [
        case("plain", weight_decay=0.0, clip=None, peak=0.01, floor=0.01, warmup=0),
        case("decay_schedule_clip"),
        case("schedule_shorter_than_run", total=6, warmup=2, floor=0.0),
        case("huge_grads_clipped", scale=1e3, clip=0.5),
        case("tiny_grads", scale=1e-3, clip=1.0, betas=(0.8, 0.999), eps=1e-6),
        case("zero_grads_only_decay", scale=0.0, weight_decay=0.5),
    ]


def expect_training(inputs, dtype):
    config, lap = inputs["config"], laplacian_tensor(inputs, dtype)
    losses = []

    def grads_at(step, weights):
        loss, grads = oracle.loss_and_grads(weights, config, lap, inputs["tokens"][step], inputs["targets"][step])
        losses.append(loss)
        return grads

    history = list(oracle.optimise(dict(inputs["weights"]), grads_at, inputs["optimiser"], len(inputs["tokens"])))
    norms, rates, weights = zip(*history)
    return {"loss": torch.stack(losses), "grad_norm": torch.stack(norms),
            "learning_rate": torch.tensor(rates), "final_weights": weights[-1]}


def training_inputs(rng, config, lap, steps=20, batch=4, length=12, **weights):
    """A learnable toy language: every token is followed by (3 token + 1) mod V, with 10% noise."""
    vocab = config["vocab_size"]
    text = np.empty((steps, batch, length + 1), dtype=int)
    text[..., 0] = rng.integers(0, vocab, size=(steps, batch))
    for t in range(length):
        noise = rng.random((steps, batch)) < 0.1
        text[..., t + 1] = np.where(noise, rng.integers(0, vocab, size=noise.shape), (3 * text[..., t] + 1) % vocab)
    return {"config": config, "laplacian": oracle.to_coo(lap), "weights": random_weights(rng, config, **weights),
            "tokens": text[..., :-1], "targets": text[..., 1:],
            "optimiser": optimiser_config(peak=0.02, floor=0.002, warmup=4, total=steps)}


def train_trace_group(rng):
    plain = training_inputs(rng, model_config("tau", 17, 2, 2, 1, 6), oracle.chain_laplacian(6))
    learned = training_inputs(rng, model_config("tau", 17, 1, 2, 2, 6), random_laplacian(rng, 6), per_head=True)
    return [make_case(name, inputs, expect_training, relative=2e-4)
            for name, inputs in (("chain_gqa", plain), ("graph_per_head", learned))]


GROUPS = {"taumode": taumode_group, "attention": attention_group, "rope": rope_group,
          "laplacian": laplacian_group, "model_tau": model_tau_group, "model_nano": model_nano_group,
          "adamw": adamw_group, "train_trace": train_trace_group, "decode": decode_group,
          "attention_clock": attention_clock_group, "model_gated": model_gated_group,
          "attention_bias": attention_bias_group, "model_bias": model_bias_group}
# Groups of what the packages do not have yet: written only when they are named.
LATER = ("attention_bias", "model_bias")


def build_group(name, seed):
    """Cases of one group; every group has its own random stream, so groups never shift each other."""
    def rng_of(group):
        return np.random.default_rng([seed, list(GROUPS).index(group)])
    return GROUPS[name](rng_of if name == "decode" else rng_of(name))


def main():
    parser = argparse.ArgumentParser(description="Write golden fixtures.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--groups", nargs="*", choices=GROUPS,
                        default=[group for group in GROUPS if group not in LATER])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for group in args.groups:
        path = args.out / f"{group}.json"
        content = {"group": group, "seed": args.seed, "cases": build_group(group, args.seed)}
        path.write_text(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n")
        print(f"{path.name}: {len(content['cases'])} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
