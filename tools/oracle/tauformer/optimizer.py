"""Clipping, learning rate and AdamW on dicts of torch tensors (docs/definition.md, section 7)."""
import math

import torch


def learning_rate(step, peak, floor, warmup, total):
    """Step 0, 1, ...: linear warm-up that reaches `peak` at step warmup-1, then cosine to `floor` at `total`."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * progress))


def clip_global_norm(grads, max_norm):
    """(norm before clipping, grads * min(1, max_norm / (norm + 1e-6))); max_norm None: no clipping."""
    norm = torch.sqrt(sum(g.square().sum() for g in grads.values()))
    factor = 1.0 if max_norm is None else min(1.0, max_norm / (float(norm) + 1e-6))
    return norm, {name: g * factor for name, g in grads.items()}


def adamw_step(params, grads, state, step, lr, betas, eps, weight_decay):
    """One AdamW update (step counts from 1); only tensors with two or more axes decay."""
    for name, g in grads.items():
        m, v = state.get(name, (torch.zeros_like(g), torch.zeros_like(g)))
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        state[name] = m, v
        decay = weight_decay if g.ndim >= 2 else 0.0
        update = (m / (1 - betas[0] ** step)) / ((v / (1 - betas[1] ** step)).sqrt() + eps)
        params[name] = params[name] * (1 - lr * decay) - lr * update


def optimize(params, grads_at, optimizer, steps):
    """Run clip + schedule + AdamW; grads_at(step, params) -> grads. Yields (norm, lr, params) per step."""
    state = {}
    for step in range(steps):
        norm, grads = clip_global_norm(grads_at(step, params), optimizer["clip"])
        lr = learning_rate(step, **optimizer["schedule"])
        adamw_step(params, grads, state, step + 1, lr,
                   optimizer["betas"], optimizer["eps"], optimizer["weight_decay"])
        yield norm, lr, dict(params)
