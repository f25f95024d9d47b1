"""Groups attention, attention_clock and attention_bias."""
import math

import numpy as np
import torch

from cases.format import grads_of, make_case, round9
from cases.inputs import normal, uniform
from tauformer.attention import causal_age, clock_attention, lambda_attention, lambda_attention_backward, repeat_heads
from tauformer.fast_attention import fast_attention, fast_bias_attention, fast_clock_attention

ATTENTION_INPUTS = ("lambda_q", "lambda_k", "v", "temperature", "gamma")


def expect_attention(inputs, dtype):
    """The dense attention; in float32 (for the tolerances only) the O(T log T) one."""
    values = [inputs[name] for name in ATTENTION_INPUTS]
    if dtype == torch.float32:
        out, grads = fast_attention(*(value.numpy() for value in values), inputs["r"].numpy())
    else:
        out, grads = lambda_attention(*values), lambda_attention_backward(*values, inputs["r"])
    return {"out": out, "grads": grads}


def attention_noise(inputs):
    """Float32 noise of gradients that may cancel: rounding unit times the size of their terms."""
    lq, lk = (torch.tensor(inputs[name].copy()) for name in ("lambda_q", "lambda_k"))
    hidden = causal_age(lq.shape[1], lk.shape[1]) < 0
    gap = (lq[:, :, None] - repeat_heads(lk, len(lq), 0)[:, None, :]).abs().masked_fill(hidden, math.inf)
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
        out, grads = fast_clock_attention(*(inputs[name].numpy() for name in CLOCK_INPUTS), inputs["r"].numpy())
        return {"out": out, "grads": grads}
    leaves = {name: inputs[name].clone().requires_grad_() for name in CLOCK_INPUTS}
    out = clock_attention(*leaves.values())
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
        out, grads = fast_bias_attention(*(inputs[name].numpy() for name in BIAS_INPUTS), inputs["r"].numpy())
        return {"out": out, "grads": grads}
    leaves = {name: inputs[name].clone().requires_grad_() for name in BIAS_INPUTS}
    out = clock_attention(*leaves.values())
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
        for temperature, rate, spread in ((0.05, 0.01, 1.0), (0.05, 0.5, 5.0), (1e-3, 0.01, 1.0),
                                          (1e-3, 30.0, 100.0), (1.0, 0.0, 0.3)):
            name = f"q{tq}_k{tk}_d{size}_h{heads}_kv{kv_heads}_temp{temperature}_rate{rate}_spread{spread}"
            cases.append(bias_case(rng, name, heads, kv_heads, tq, tk, size, temperature, rate, spread))
    for late in (-300.0, 300.0):
        for temperature, rate in ((0.05, 0.5), (1e-3, 3.0)):
            name = f"late{late}_temp{temperature}_rate{rate}"
            cases.append(bias_case(rng, name, 2, 1, 130, 130, 4, temperature, rate, 1.0, late))
    return cases
