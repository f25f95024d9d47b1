import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { rowsOf } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** y[r] = x[r] / √(mean x[r]² + eps). */
export type RmsNormKernel = (x: Handle, y: Handle, rows: number, cols: number, eps: number) => void
/** With s = 1/√(mean x² + eps): dX = s·dOut − s³·x·mean(x·dOut), row by row. */
export type RmsNormGradKernel = (
  x: Handle,
  dOut: Handle,
  dX: Handle,
  rows: number,
  cols: number,
  eps: number,
) => void

/** Root-mean-square normalization over the last axis, without parameters: x / √(mean x² + eps).
 *  A row whose sum of squares overflows f32 (|x| near 1e19) becomes 0.
 *  Source: Zhang and Sennrich, Root Mean Square Layer Normalization (2019), eq. 4, without the gain. */
export function rmsNorm(x: Tensor, eps = 1e-6): Tensor {
  const { rows, cols } = rowsOf('rmsNorm', x)
  if (!(eps >= 0)) throw new RangeError(`rmsNorm: eps must be at least 0, got ${eps}`)
  const { device } = x
  const y = device.empty(x.shape)
  kernelsOf(device).rmsNorm(x.handle, y.handle, rows, cols, eps)
  return record('rmsNorm', [x], y, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).rmsNormGrad(x.handle, dOut.handle, dX.handle, rows, cols, eps)
    return [dX]
  })
}
