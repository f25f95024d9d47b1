import { mul, neg, record, ShapeError, shapeText, softplus, sum, type Tensor, zeros } from '@tau/tensor'
import { checkDevice, type Handle } from '@tau/tensor/kernel'
import { kernelsOf } from '../table.ts'

/** Cumulative decay in nats: c_t = −Σ_{s ≤ t} log f_s with factors 0 < f_s ≤ 1
 *  (docs/definition.md, section 3). It never decreases. At time t the key of time j has the factor
 *  e^(c_j − c_t), so c_j − c_t is added to its score. A reading is one value c_t. It is stored as high + low:
 *  `high` is the reading rounded to f32, and `low` is what rounding leaves over, at most half a unit in the
 *  last place. Attention uses (high_i − high_j) + (low_i − low_j). This difference is as exact after 10⁶
 *  tokens as after ten; a reading in one f32 would be off by 0.03. Gradients go to `high`; `low` is a
 *  constant. A function that takes a LogDecay also takes a single tensor. Its low parts are 0. */
export interface LogDecay {
  readonly high: Tensor
  /** The same shape as `high`. */
  readonly low: Tensor
}

/** Both parts of a decay. `low` is undefined if a single tensor was given. */
export const decayParts = (logDecay: Tensor | LogDecay): { high: Tensor; low: Tensor | undefined } =>
  'high' in logDecay ? logDecay : { high: logDecay, low: undefined }

/** high + low = previous + previousLow + Σ_{s ≤ t} steps[row, s] for rows of `length` steps. */
export type ForgetGateDecayKernel = (
  inputs: { readonly steps: Handle; readonly previous: Handle; readonly previousLow: Handle },
  high: Handle,
  low: Handle,
  rows: number,
  length: number,
) => void

/** dSteps[row, s] = Σ_{t ≥ s} dLogDecay[row, t]. */
export type ForgetGateDecayGradKernel = (
  dLogDecay: Handle,
  dSteps: Handle,
  rows: number,
  length: number,
) => void

/** high + low = rate[row]·(start + t) for t < length. */
export type ConstantDecayKernel = (
  rate: Handle,
  high: Handle,
  low: Handle,
  rows: number,
  length: number,
  start: number,
) => void

/** Times up to this one are exact in f32. */
const MAX_TIME = 2 ** 24

/** Decay at a constant rate: c_h(t) = rate_h·(start + t) for t < length. rate [H] ≥ 0 → [H, T]. It is exact,
 *  because the product of two f32 is the sum of two f32. Gradient to rate. Throws RangeError beyond 2²⁴
 *  tokens. */
export function constantDecay(rate: Tensor, length: number, start = 0): LogDecay {
  if (rate.rank !== 1) throw new ShapeError(`constantDecay: rate must be [H], got ${shapeText(rate.shape)}`)
  for (const [name, value] of Object.entries({ length, start }))
    if (!(Number.isInteger(value) && value >= 0))
      throw new RangeError(`constantDecay: ${name} must be a whole number of at least 0, got ${value}`)
  if (start + length > MAX_TIME)
    throw new RangeError(
      `constantDecay: start + length must be at most ${MAX_TIME}, got ${start} + ${length}`,
    )
  const { device } = rate
  const shape = [rate.size, length]
  const high = device.empty(shape)
  const low = device.empty(shape)
  kernelsOf(device).constantDecay(rate.handle, high.handle, low.handle, rate.size, length, start)
  record('constantDecay', [rate], high, (dHigh) => {
    const times = device.tensor(
      Float32Array.from({ length }, (_, t) => start + t),
      [1, length],
    )
    return [sum(mul(dHigh, times), [1])]
  })
  return { high, low }
}

/** Decay by a forget gate: c_t = previous − Σ_{s ≤ t} log σ(logit_s). It never decreases. logits [B, H, T],
 *  previous [B, H, 1] (the newest reading before; default 0) → [B, H, T]. The sum of the f32 steps has a
 *  relative error of at most 2⁻⁴⁸. Gradients to both. −log σ(x) is computed as softplus(−x). Source: the
 *  forget gate of Lin et al., Forgetting Transformer (2025). */
export function forgetGateDecay(logits: Tensor, previous?: Tensor | LogDecay): LogDecay {
  if (logits.rank !== 3)
    throw new ShapeError(`forgetGateDecay: logits must be [B, H, T], got ${shapeText(logits.shape)}`)
  const { device } = logits
  const [batch, heads, length] = logits.shape
  const before = [batch, heads, 1]
  const parts = previous ? decayParts(previous) : undefined
  for (const tensor of parts?.low ? [parts.high, parts.low] : parts ? [parts.high] : []) {
    checkDevice('forgetGateDecay', logits, tensor)
    if (tensor.rank !== 3 || tensor.shape.some((n, axis) => n !== before[axis]))
      throw new ShapeError(
        `forgetGateDecay: previous must be [B, H, 1] = ${shapeText(before)}, got ${shapeText(tensor.shape)}`,
      )
  }
  const steps = softplus(neg(logits))
  const start = parts?.high ?? zeros(device, before)
  const startLow = parts?.low ?? zeros(device, before)
  const high = device.empty(logits.shape)
  const low = device.empty(logits.shape)
  kernelsOf(device).forgetGateDecay(
    { steps: steps.handle, previous: start.handle, previousLow: startLow.handle },
    high.handle,
    low.handle,
    batch * heads,
    length,
  )
  record('forgetGateDecay', [steps, start], high, (dHigh, wanted) => {
    const dSteps = wanted[0] ? device.empty(logits.shape) : null
    if (dSteps) kernelsOf(device).forgetGateDecayGrad(dHigh.handle, dSteps.handle, batch * heads, length)
    return [dSteps, wanted[1] ? sum(dHigh, [2]).view(before) : null]
  })
  return { high, low }
}
