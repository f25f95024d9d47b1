"""The models in torch (docs/definition.md, sections 4 and 5).

weights: dict of tensors, Linear weights [out, in]. config: see README.md. lap: the Laplacian [M, M], or None for
the dot product.
"""
import torch

from tauformer.attention import clock_attention, dot_attention, forget_clock, lambda_attention, repeat_heads
from tauformer.taumode import rayleigh_energy, taumode

RMS_EPS = 1e-6        # rms_norm
LAYER_NORM_EPS = 1e-5  # the reference's extra q/k LayerNorm (nano baseline only)
QKV_CLAMP = 5.0       # projections are clamped to [-5, 5]
LOGIT_CLAMP = 50.0    # logits are clamped to [-50, 50]
SOFTCAP = 15.0        # softcap(z) = 15 tanh(z / 15)


def rope_tables(start, length, dim, base=10000.0, dtype=torch.float64):
    """cos, sin [T, D/2] of the angles (start + t) base^(-2c/D)."""
    frequency = base ** (-torch.arange(0, dim, 2, dtype=dtype) / dim)
    angle = torch.arange(start, start + length, dtype=dtype)[:, None] * frequency
    return angle.cos(), angle.sin()


def rope(x, start=0, base=10000.0):
    """Rotate x [..., T, D] at times start, start+1, ...: half-split pairs (c, c + D/2), by -angle."""
    cos, sin = rope_tables(start, x.shape[-2], x.shape[-1], base, x.dtype)
    x1, x2 = x.chunk(2, -1)
    return torch.cat([x1 * cos + x2 * sin, x2 * cos - x1 * sin], -1)


def rms_norm(x):
    """x / sqrt(mean(x^2) + eps) over the last axis; no parameters."""
    return x / (x.square().mean(-1, keepdim=True) + RMS_EPS).sqrt()


def project_heads(x, weight, heads):
    """Clamped projection x [B, T, C], weight [heads*D, C] -> [B, heads, T, D]."""
    y = (x @ weight.T).clamp(-QKV_CLAMP, QKV_CLAMP)
    return y.unflatten(-1, (heads, -1)).transpose(1, 2)


def layer_norm(x, weights, name):
    """Affine LayerNorm over the last axis, parameters name.weight and name.bias [D]."""
    return torch.nn.functional.layer_norm(
        x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], LAYER_NORM_EPS)


def extend(cache, layer, *new):
    """Append along time (axis 2) to the layer's cached tensors and return all; no-op without cache."""
    if cache is None:
        return new
    old = cache.get(layer)
    cache[layer] = new if old is None else tuple(torch.cat(pair, 2) for pair in zip(old, new))
    return cache[layer]


def attention_layer(x, weights, config, lap, layer, cache, start):
    """x [B, T, C] -> [B, T, C]; the cache holds (v, lambda_k) for tau and (v, k) for dot attention."""
    name = f"blocks.{layer}.attn"
    q = project_heads(x, weights[f"{name}.c_q.weight"], config["n_head"])
    k, v = (project_heads(x, weights[f"{name}.{c}.weight"], config["n_kv_head"]) for c in ("c_k", "c_v"))
    q, k = (rms_norm(rope(a, start, config["rope_base"])) for a in (q, k))
    if config["attention"] == "tau":
        lq, lk = (taumode(a, lap, config["tau"], config["eps"]) for a in (q, k))
        v, lk = extend(cache, layer, v, lk)
        y = lambda_attention(lq, lk, v, weights.get(f"{name}.temperature", config["temperature"]),
                             weights.get(f"{name}.gamma", 0.0))
    else:
        if config["qk_layernorm"]:
            q, k = (layer_norm(a, weights, f"{name}.qk_norm_{c}") for a, c in ((q, "q"), (k, "k")))
        v, k = extend(cache, layer, v, k)
        y = dot_attention(q, k, v)
    return y.transpose(1, 2).flatten(2) @ weights[f"{name}.c_proj.weight"].T


def key_shift(x):
    """Token shift of x [B, T, C]: the second half of the channels comes from the token before, zeros at the first."""
    half = x.shape[-1] // 2
    before = torch.nn.functional.pad(x, (0, 0, 1, 0))[:, :-1]
    return torch.cat([x[..., :half], before[..., half:]], -1)


def gated_attention_layer(x, weights, config, lap, layer):
    """The layer with all parts: token shift of the keys, learned tau, forget gate, output gate. x [B, T, C] -> [B, T, C].

    k is projected from key_shift(x). lambda = E / (E + tau), where query heads use the tau of their kv head. The
    heads' output is multiplied by silu(W_g x) before c_proj. The config has three switches: rope (default true) on
    q and k; key_bias (default false), a bias W_b key_shift(x) per query head and key; score, "tau" (default) or
    "dot" for q . k / sqrt(M) in place of the distance of lambdas.
    """
    name, heads, kv_heads = f"blocks.{layer}.attn", config["n_head"], config["n_kv_head"]
    shifted = key_shift(x)
    q = project_heads(x, weights[f"{name}.c_q.weight"], heads)
    k = project_heads(shifted, weights[f"{name}.c_k.weight"], kv_heads)
    v = project_heads(x, weights[f"{name}.c_v.weight"], kv_heads)
    q, k = (rms_norm(rope(a, 0, config["rope_base"]) if config.get("rope", True) else a) for a in (q, k))
    clock = forget_clock(x, weights[f"{name}.c_f.weight"], weights[f"{name}.c_f.bias"])
    bias = (shifted @ weights[f"{name}.c_b.weight"].T).transpose(1, 2) if config.get("key_bias") else None
    if config.get("score", "tau") == "dot":
        y = dot_attention(q, k, v, clock, bias)
    else:
        energy_q, energy_k = (rayleigh_energy(a, lap, config["eps"]) for a in (q, k))
        tau = weights[f"{name}.tau"]
        lq = energy_q / (energy_q + repeat_heads(tau, heads, 0)[:, None])
        lk = energy_k / (energy_k + tau[:, None])
        y = clock_attention(lq, lk, v, weights[f"{name}.temperature"], clock, bias)
    y = y.transpose(1, 2).flatten(2) * torch.nn.functional.silu(x @ weights[f"{name}.c_g.weight"].T)
    return y @ weights[f"{name}.c_proj.weight"].T


def mlp_layer(x, weights, layer):
    """x [B, T, C] -> [B, T, C] through relu(.)^2 of width 4C."""
    hidden = (x @ weights[f"blocks.{layer}.mlp.c_fc.weight"].T).relu().square()
    return hidden @ weights[f"blocks.{layer}.mlp.c_proj.weight"].T


def forward(weights, config, lap, tokens, softcap, cache=None, start=0):
    """tokens [B, T] -> logits [B, T, V]. With a cache (a dict, filled here), tokens sit at times start..."""
    x = weights["wte.weight"][tokens]
    for layer in range(config["n_layer"]):
        if config["attention"] == "tau_gated":
            x = x + gated_attention_layer(rms_norm(x), weights, config, lap, layer)
        else:
            x = x + attention_layer(rms_norm(x), weights, config, lap, layer, cache, start)
        x = x + mlp_layer(rms_norm(x), weights, layer)
    logits = (rms_norm(x) @ weights["lm_head.weight"].T).clamp(-LOGIT_CLAMP, LOGIT_CLAMP)
    return SOFTCAP * torch.tanh(logits / SOFTCAP) if softcap else logits


def decode(weights, config, lap, tokens, prefix, softcap):
    """Prefill `prefix` tokens, then one token at a time -> step logits [T - prefix, B, V] and the cache."""
    cache, steps = {}, []
    if prefix:
        forward(weights, config, lap, tokens[:, :prefix], softcap, cache)
    for t in range(prefix, tokens.shape[1]):
        steps.append(forward(weights, config, lap, tokens[:, t:t + 1], softcap, cache, t)[:, 0])
    return torch.stack(steps), cache


def cross_entropy(logits, targets):
    """Mean of -log softmax(logits)[target] over all positions: [B, T, V], [B, T] -> scalar."""
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def loss_and_grads(weights, config, lap, tokens, targets):
    """Training loss (softcapped logits) and its gradient for every weight."""
    leaves = {name: w.detach().requires_grad_() for name, w in weights.items()}
    loss = cross_entropy(forward(leaves, config, lap, tokens, softcap=True), targets)
    return loss.detach(), dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values()))))
