import {
  add,
  checkDevice,
  cumsum,
  mul,
  neg,
  reshape,
  ShapeError,
  shapeText,
  softplus,
  type Tensor,
} from '@tau/tensor'

/** A clock that runs evenly: c_h(t) = γ_h·(start + t) for t < length. gamma [H] ≥ 0 → [H, T]. Gradient to gamma. */
export function steadyClock(gamma: Tensor, length: number, start = 0): Tensor {
  if (gamma.rank !== 1) throw new ShapeError(`steadyClock: gamma must be [H], got ${shapeText(gamma.shape)}`)
  for (const [name, value] of Object.entries({ length, start }))
    if (!(Number.isInteger(value) && value >= 0))
      throw new RangeError(`steadyClock: ${name} must be a whole number of at least 0, got ${value}`)
  const times = gamma.device.tensor(
    Float32Array.from({ length }, (_, t) => start + t),
    [1, length],
  )
  return mul(reshape(gamma, [gamma.size, 1]), times)
}

/** A clock that the tokens drive: c_t = previous − Σ_{s ≤ t} log σ(logit_s), which never runs backward.
 *  logits [B, H, T], previous [B, H, 1] (the newest reading before; default 0) → [B, H, T]. Gradients to both.
 *  Source: forget gate of Lin et al., Forgetting Transformer (2025), −log σ(x) computed as softplus(−x). */
export function forgetClock(logits: Tensor, previous?: Tensor): Tensor {
  if (logits.rank !== 3)
    throw new ShapeError(`forgetClock: logits must be [B, H, T], got ${shapeText(logits.shape)}`)
  const elapsed = cumsum(softplus(neg(logits)), 2)
  if (!previous) return elapsed
  checkDevice('forgetClock', logits, previous)
  const [batch, heads] = logits.shape
  if (previous.rank !== 3 || previous.size !== batch * heads || previous.shape[2] !== 1)
    throw new ShapeError(
      `forgetClock: previous must be [B, H, 1] = [${batch}, ${heads}, 1], got ${shapeText(previous.shape)}`,
    )
  return add(elapsed, previous)
}
