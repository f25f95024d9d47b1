import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** out[i] = min(max(x[i], low), high); NaN stays NaN. */
export type ClampKernel = (x: Handle, out: Handle, low: number, high: number, n: number) => void
/** dX[i] = dOut[i] if low ≤ x[i] ≤ high, else 0. */
export type ClampGradKernel = (
  x: Handle,
  dOut: Handle,
  dX: Handle,
  low: number,
  high: number,
  n: number,
) => void

/** Limits x to [low, high]. The gradient is 1 inside and on the bounds, 0 outside (PyTorch's rule). */
export function clamp(x: Tensor, low: number, high: number): Tensor {
  checkDType('clamp', 'x', x, 'f32')
  if (!(low <= high)) throw new RangeError(`clamp: low must not exceed high, got ${low} and ${high}`)
  const { device } = x
  const out = device.empty(x.shape)
  kernelsOf(device).clamp(x.handle, out.handle, low, high, x.size)
  return record('clamp', [x], out, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).clampGrad(x.handle, dOut.handle, dX.handle, low, high, x.size)
    return [dX]
  })
}
