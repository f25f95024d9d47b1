"""Attention over all pairs in torch, differentiable (docs/definition.md, section 3).

A clock is the cumulative decay of a head.
"""
import math

import torch


def repeat_heads(x, heads, axis):
    """Hkv -> H heads along `axis`; query head h reads key/value head h // (H / Hkv)."""
    return x.repeat_interleave(heads // x.shape[axis], axis)


def per_head(value, like):
    """Scalar or [H] -> broadcasts against [..., H, Tq, Tk]."""
    return torch.as_tensor(value, dtype=like.dtype).reshape(-1, 1, 1)


def causal_age(tq, tk):
    """Age i - j of key j for query i [Tq, Tk]; the last query sits at the last key."""
    return torch.arange(tk - tq, tk)[:, None] - torch.arange(tk)[None, :]


def causal_average(logits, v):
    """Softmax over the visible keys, times values: [..., H, Tq, Tk], [..., H, Tk, D] -> [..., H, Tq, D]."""
    hidden = causal_age(*logits.shape[-2:]) < 0
    return torch.softmax(logits.masked_fill(hidden, -math.inf), -1) @ v


def forget_clock(x, weight, bias):
    """Clock of a forget gate: x [..., T, C], weight [H, C], bias [H] -> [..., H, T].

    f_t = sigmoid(W x_t + b) per head. The clock is -sum_{s <= t} log f_s, so it never decreases.
    """
    return -torch.cumsum(torch.nn.functional.logsigmoid(x @ weight.T + bias), -2).transpose(-1, -2)


def elapsed(clock, queries):
    """clock [..., H, Tk] -> clock_i - clock_j [..., H, Tq, Tk] for the last `queries` times i."""
    return clock[..., clock.shape[-1] - queries:, None] - clock[..., None, :]


def clock_attention(lq, lk, v, temperature, clock, bias=None):
    """As lambda_attention, with a clock [..., H, Tk] in place of gamma and a bias per key [..., H, Tk].

    logit_ij = -|lq_i - lk_j| / temperature_h - (clock_hi - clock_hj) + bias_hj for j <= i; query n has time
    n + Tk - Tq.
    """
    heads = lq.shape[-2]
    lk, v = repeat_heads(lk, heads, -2), repeat_heads(v, heads, -3)
    gap = (lq[..., :, None] - lk[..., None, :]).abs()
    logits = -gap / per_head(temperature, gap) - elapsed(clock, lq.shape[-1])
    return causal_average(logits if bias is None else logits + bias[..., None, :], v)


def lambda_attention(lq, lk, v, temperature=1.0, gamma=0.0):
    """lq [..., H, Tq], lk [..., Hkv, Tk], v [..., Hkv, Tk, D] -> [..., H, Tq, D].

    logit_ij = -|lq_i - lk_j| / temperature_h - gamma_h (i - j) for j <= i.
    """
    heads = lq.shape[-2]
    lk, v = repeat_heads(lk, heads, -2), repeat_heads(v, heads, -3)
    age = causal_age(lq.shape[-1], lk.shape[-1])
    gap = (lq[..., :, None] - lk[..., None, :]).abs()
    return causal_average(-gap / per_head(temperature, gap) - per_head(gamma, gap) * age, v)


def lambda_attention_backward(lq, lk, v, temperature, gamma, grad):
    """Gradients of sum(out * grad), written out by hand for lambda_attention without batch axes.

    lq [H, Tq], lk [Hkv, Tk], v [Hkv, Tk, D], temperature and gamma [H], grad [H, Tq, D]. Rows of ds
    sum to zero, so for the temperature each row's smallest gap is taken off first: less cancels.
    """
    heads, kv_heads = len(lq), len(lk)
    keys, values = repeat_heads(lk, heads, 0), repeat_heads(v, heads, 0)
    age = causal_age(lq.shape[1], lk.shape[1])
    gap, temp = lq[:, :, None] - keys[:, None, :], per_head(temperature, lq)
    logits = (-gap.abs() / temp - per_head(gamma, lq) * age).masked_fill(age < 0, -math.inf)
    p = torch.softmax(logits, -1)
    ds = p * (grad @ values.transpose(1, 2) - (grad * (p @ values)).sum(-1, keepdim=True))
    side = ds * gap.sign() / temp
    gap = gap.abs()
    nearest_gap = gap.masked_fill(age < 0, math.inf).amin(-1, keepdim=True)
    return {"lambda_q": -side.sum(2),
            "lambda_k": side.sum(1).unflatten(0, (kv_heads, -1)).sum(1),
            "v": (p.transpose(1, 2) @ grad).unflatten(0, (kv_heads, -1)).sum(1),
            "temperature": (ds * (gap - nearest_gap) / temp ** 2).sum((1, 2)),
            "gamma": -(ds * age).sum((1, 2))}


def dot_attention(q, k, v, clock=None, bias=None):
    """Ordinary causal attention: q [..., H, Tq, M], k [..., Hkv, Tk, M], v [..., Hkv, Tk, D] -> [..., H, Tq, D].

    logit_ij = q_i . k_j / sqrt(M), with a clock and a bias per key [..., H, Tk] as in clock_attention.
    """
    k, v = repeat_heads(k, q.shape[-3], -3), repeat_heads(v, q.shape[-3], -3)
    logits = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if clock is not None:
        logits = logits - elapsed(clock, q.shape[-2])
    return causal_average(logits if bias is None else logits + bias[..., None, :], v)
