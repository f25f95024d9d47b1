"""Exact lambda-distance attention in O(T log T), in numpy, one head at a time. README.md has the derivation."""
import math

import numpy as np


def causal_blocks(keys, queries, start, stop):
    """Tile {(i, j): j <= i} by rectangles (keys, queries, origin) with keys <= origin <= queries.

    keys, queries: times in [start, stop), ordered by ascending lambda; filtering keeps the order.
    """
    if len(queries) == 0:
        return
    if stop - start == 1:
        yield keys, queries, start
        return
    middle = (start + stop) // 2
    late = queries[queries >= middle]
    if len(late):
        yield keys[keys < middle], late, middle
    yield from causal_blocks(keys[keys < middle], queries[queries < middle], start, middle)
    yield from causal_blocks(keys[keys >= middle], late, middle, stop)


def decayed_scan(y, logw, payload, beta):
    """Running sums along ascending y [S]: scale [S], sums [S, 2, C] such that, with
    w_r = exp(logw[r] - beta (y[s] - y[r])) over the sources r <= s,
    sums[s] exp(scale[s]) = sum w_r payload[r] and sum w_r (y[s] - y[r]) payload[r].
    """
    scale, sums = np.empty_like(y), np.empty((len(y), 2, payload.shape[1]), y.dtype)
    level, total, moment, previous = -math.inf, 0.0, 0.0, y[0]
    for s in range(len(y)):
        step, previous = y[s] - previous, y[s]
        peak = max(level - beta * step, logw[s])
        decay = math.exp(level - beta * step - peak)
        total, moment = decay * total + math.exp(logw[s] - peak) * payload[s], decay * (moment + step * total)
        scale[s], sums[s, 0], sums[s, 1] = peak, total, moment
        level = peak
    return scale, sums


def count_sources(x, y, inclusive):
    """For ascending targets x [N]: how many of the ascending sources y lie below (or at) each."""
    count, s = np.empty(len(x), dtype=int), 0
    for n in range(len(x)):
        while s < len(y) and (y[s] < x[n] or (inclusive and y[s] == x[n])):
            s += 1
        count[n] = s
    return count


def sums_below(x, y, scan, beta, inclusive):
    """decayed_scan's (scale [N], sums [N, 2, C]) as seen from each target; scale -inf if no source."""
    last = count_sources(x, y, inclusive) - 1
    some, step, (scale, sums) = last >= 0, x - y[last], scan
    seen = sums[last]
    seen[:, 1] += step[:, None] * seen[:, 0]
    return np.where(some, scale[last] - beta * step, -math.inf), np.where(some[:, None, None], seen, 0.0)


def two_sided_sums(x, y, logw, payload, beta):
    """Sums of w payload_s over all sources s, w = exp(logw_s - beta |x_n - y_s|), for ascending x [N].

    Returns scale [N] and sums [N, 3, C], to be multiplied by exp(scale): the plain sum, the one
    signed by sgn(x_n - y_s), where sgn 0 = 0, and the one weighted by |x_n - y_s|.
    """
    scan = decayed_scan(y, logw, payload, beta)
    flipped = decayed_scan(-y[::-1], logw[::-1], payload[::-1], beta)
    upto = sums_below(x, y, scan, beta, inclusive=True)
    below = sums_below(x, y, scan, beta, inclusive=False)
    above = [a[::-1] for a in sums_below(-x[::-1], -y[::-1], flipped, beta, inclusive=False)]
    peak = np.maximum(upto[0], above[0])
    upto, below, above = (sums * np.exp(scale - peak)[:, None, None] for scale, sums in (upto, below, above))
    return peak, np.stack([upto[:, 0] + above[:, 0], below[:, 0] - above[:, 0], upto[:, 1] + above[:, 1]], 1)


def accumulate(state, index, scale, sums):
    """Add sums [N, 3, C] at log scale [N] to the running (scale, sums) at rows `index`."""
    peak = np.maximum(state[0][index], scale)
    state[1][index] = (state[1][index] * np.exp(state[0][index] - peak)[:, None, None]
                       + sums * np.exp(scale - peak)[:, None, None])
    state[0][index] = peak


def empty_state(size, channels, dtype):
    """Running state of `size` targets before any block: see accumulate."""
    return np.full(size, -math.inf, dtype), np.zeros((size, 3, channels), dtype)


def orders(q, k):
    """Times of keys and queries, each ordered by lambda; query n has time n + Tk - Tq."""
    return np.argsort(k, kind="stable"), np.argsort(q, kind="stable") + len(k) - len(q)


def fast_forward(q, k, v, temperature, clock, bias):
    """One head: q [Tq], k [Tk], v [Tk, D], clock and bias [Tk]; a constant decay has the clock gamma t.

    Returns out [Tq, D], lse [Tq], signed and distance [Tq, D + 1].
    signed_i = sum_j p_ij sgn(q_i - k_j) [v_j, 1] and distance_i = sum_j p_ij |q_i - k_j| [v_j, 1]
    are what the backward pass needs for q and for the temperature.
    """
    shift, beta = len(k) - len(q), 1.0 / temperature
    payload = np.concatenate([v, np.ones_like(v[:, :1])], axis=1)
    state = empty_state(len(q), payload.shape[1], v.dtype)
    for keys, queries, origin in causal_blocks(*orders(q, k), 0, len(k)):
        scale, sums = two_sided_sums(
            q[queries - shift], k[keys], clock[keys] - clock[origin] + bias[keys], payload[keys], beta)
        accumulate(state, queries - shift, scale + clock[origin] - clock[queries], sums)
    mass = state[1][:, 0, -1]
    plain, signed, distance = (state[1] / mass[:, None, None]).transpose(1, 0, 2)
    return plain[:, :-1], state[0] + np.log(mass), signed, distance


def fast_backward(q, k, v, temperature, clock, bias, grad, out, lse, signed, distance):
    """One head: gradient `grad` [Tq, D] of the output -> dq [Tq], dk [Tk], dv [Tk, D], dtemperature, dclock [Tk].

    dbias equals dclock.
    """
    shift, beta = len(k) - len(q), 1.0 / temperature
    payload = np.concatenate([grad, (grad * out).sum(1, keepdims=True)], axis=1)
    state = empty_state(len(k), payload.shape[1], v.dtype)
    for keys, queries, origin in causal_blocks(*orders(q, k), 0, len(k)):
        rows = queries - shift
        scale, sums = two_sided_sums(
            k[keys], q[rows], clock[origin] - clock[queries] - lse[rows], payload[rows], beta)
        accumulate(state, keys, scale + clock[keys] - clock[origin] + bias[keys], sums)
    plain, flipped, _ = (state[1] * np.exp(state[0])[:, None, None]).transpose(1, 0, 2)
    dv = plain[:, :-1]
    column = (v * dv).sum(1) - plain[:, -1]
    dq = -beta * (grad * (signed[:, :-1] - out * signed[:, -1:])).sum(1)
    dk = -beta * ((v * flipped[:, :-1]).sum(1) - flipped[:, -1])
    dtemperature = beta ** 2 * (grad * (distance[:, :-1] - out * distance[:, -1:])).sum()
    return dq, dk, dv, dtemperature, column


def fast_attention(lq, lk, v, temperature, gamma, grad):
    """All heads at once, with gradients of sum(out * grad); works in float64 and in float32.

    lq [H, Tq], lk [Hkv, Tk], v [Hkv, Tk, D], temperature and gamma [H], grad [H, Tq, D]
    -> out [H, Tq, D] and a dict of gradients named like the arguments.
    """
    times = np.arange(lk.shape[1], dtype=gamma.dtype)
    out, d = fast_clock_attention(lq, lk, v, temperature, gamma[:, None] * times, grad)
    d["gamma"] = d.pop("clock") @ times
    return out, d


def fast_clock_attention(lq, lk, v, temperature, clock, grad):
    """fast_attention with a clock [H, Tk], and its gradient, in place of gamma."""
    out, d = fast_bias_attention(lq, lk, v, temperature, clock, np.zeros_like(clock), grad)
    d.pop("bias")
    return out, d


def fast_bias_attention(lq, lk, v, temperature, clock, bias, grad):
    """fast_clock_attention with a bias per key [H, Tk]. Rows of ds sum to zero, so its gradient is that of the clock."""
    out, group = np.empty_like(grad), len(lq) // len(lk)
    d = {name: np.zeros_like(a) for name, a in
         dict(lambda_q=lq, lambda_k=lk, v=v, temperature=temperature, clock=clock).items()}
    for h in range(len(lq)):
        head = lq[h], lk[h // group], v[h // group], float(temperature[h]), clock[h], bias[h]
        out[h], *saved = fast_forward(*head)
        d["lambda_q"][h], dk, dv, d["temperature"][h], d["clock"][h] = fast_backward(
            *head, grad[h], out[h], *saved)
        d["lambda_k"][h // group] += dk
        d["v"][h // group] += dv
    d["bias"] = d["clock"].copy()
    return out, d
