import {
  checkDevice,
  type Handle,
  mul,
  neg,
  record,
  ShapeError,
  shapeText,
  softplus,
  sum,
  type Tensor,
  zeros,
} from '@tau/tensor'
import { kernelsOf } from '../table.ts'

/** Clock readings high + low: `high` is the reading rounded to f32, `low` what that leaves over (at most half a unit in the last place).
 *  Attention uses (high_i − high_j) + (low_i − low_j), so a difference of two readings is as exact after 10⁶ tokens as after ten,
 *  where a reading alone is off by 0.03. Gradients go to `high`; `low` is a constant. Where a Clock is taken, a tensor alone is
 *  too: its low part is 0. */
export interface Clock {
  readonly high: Tensor
  /** Of the shape of `high`. */
  readonly low: Tensor
}

/** The parts of a clock or of readings alone. */
export const clockParts = (clock: Tensor | Clock): { high: Tensor; low: Tensor | undefined } =>
  'high' in clock ? clock : { high: clock, low: undefined }

/** high + low = previous + previousLow + Σ_{s ≤ t} steps[row, s] for rows of `length` steps. */
export type ForgetClockKernel = (
  inputs: { readonly steps: Handle; readonly previous: Handle; readonly previousLow: Handle },
  high: Handle,
  low: Handle,
  rows: number,
  length: number,
) => void

/** dSteps[row, s] = Σ_{t ≥ s} dClock[row, t]. */
export type ForgetClockGradKernel = (dClock: Handle, dSteps: Handle, rows: number, length: number) => void

/** high + low = gamma[row]·(start + t) for t < length. */
export type SteadyClockKernel = (
  gamma: Handle,
  high: Handle,
  low: Handle,
  rows: number,
  length: number,
  start: number,
) => void

/** Times up to here are exact in f32. */
const MAX_TIME = 2 ** 24

/** A clock that runs evenly: c_h(t) = γ_h·(start + t) for t < length, exact: the product of two f32 is the sum of two. gamma [H] ≥ 0 →
 *  [H, T]. Gradient to gamma. Throws RangeError beyond 2²⁴ tokens. */
export function steadyClock(gamma: Tensor, length: number, start = 0): Clock {
  if (gamma.rank !== 1) throw new ShapeError(`steadyClock: gamma must be [H], got ${shapeText(gamma.shape)}`)
  for (const [name, value] of Object.entries({ length, start }))
    if (!(Number.isInteger(value) && value >= 0))
      throw new RangeError(`steadyClock: ${name} must be a whole number of at least 0, got ${value}`)
  if (start + length > MAX_TIME)
    throw new RangeError(`steadyClock: start + length must be at most ${MAX_TIME}, got ${start} + ${length}`)
  const { device } = gamma
  const shape = [gamma.size, length]
  const high = device.empty(shape)
  const low = device.empty(shape)
  kernelsOf(device).steadyClock(gamma.handle, high.handle, low.handle, gamma.size, length, start)
  record('steadyClock', [gamma], high, (dHigh) => {
    const times = device.tensor(
      Float32Array.from({ length }, (_, t) => start + t),
      [1, length],
    )
    return [sum(mul(dHigh, times), [1])]
  })
  return { high, low }
}

/** A clock that the tokens drive: c_t = previous − Σ_{s ≤ t} log σ(logit_s), which never runs backward. The sum of the f32 steps is
 *  exact to 2⁻⁴⁸ of itself. logits [B, H, T], previous [B, H, 1] (the newest reading before; default 0) → [B, H, T]. Gradients to both.
 *  Source: forget gate of Lin et al., Forgetting Transformer (2025), −log σ(x) computed as softplus(−x). */
export function forgetClock(logits: Tensor, previous?: Tensor | Clock): Clock {
  if (logits.rank !== 3)
    throw new ShapeError(`forgetClock: logits must be [B, H, T], got ${shapeText(logits.shape)}`)
  const { device } = logits
  const [batch, heads, length] = logits.shape
  const before = [batch, heads, 1]
  const parts = previous ? clockParts(previous) : undefined
  for (const tensor of parts?.low ? [parts.high, parts.low] : parts ? [parts.high] : []) {
    checkDevice('forgetClock', logits, tensor)
    if (tensor.rank !== 3 || tensor.shape.some((n, axis) => n !== before[axis]))
      throw new ShapeError(
        `forgetClock: previous must be [B, H, 1] = ${shapeText(before)}, got ${shapeText(tensor.shape)}`,
      )
  }
  const steps = softplus(neg(logits))
  const start = parts?.high ?? zeros(device, before)
  const startLow = parts?.low ?? zeros(device, before)
  const high = device.empty(logits.shape)
  const low = device.empty(logits.shape)
  kernelsOf(device).forgetClock(
    { steps: steps.handle, previous: start.handle, previousLow: startLow.handle },
    high.handle,
    low.handle,
    batch * heads,
    length,
  )
  record('forgetClock', [steps, start], high, (dHigh, wanted) => {
    const dSteps = wanted[0] ? device.empty(logits.shape) : null
    if (dSteps) kernelsOf(device).forgetClockGrad(dHigh.handle, dSteps.handle, batch * heads, length)
    return [dSteps, wanted[1] ? sum(dHigh, [2]).view(before) : null]
  })
  return { high, low }
}
