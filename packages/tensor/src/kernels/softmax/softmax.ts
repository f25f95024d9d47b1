import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { rowsOf } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** y[r, c] = e^{x[r, c] − max_r} / Σ_c e^{x[r, c] − max_r}. */
export type SoftmaxKernel = (x: Handle, y: Handle, rows: number, cols: number) => void
/** dX = y · (dOut − Σ_c y·dOut), row by row. */
export type SoftmaxGradKernel = (y: Handle, dOut: Handle, dX: Handle, rows: number, cols: number) => void

/** Softmax over the last axis: rows of positive numbers that sum to 1. Adding a number to a row changes
 *  nothing. A row is NaN if all of it is −∞, or if it contains +∞ or NaN. */
export function softmax(x: Tensor): Tensor {
  const { rows, cols } = rowsOf('softmax', x)
  const { device } = x
  const y = device.empty(x.shape)
  kernelsOf(device).softmax(x.handle, y.handle, rows, cols)
  return record('softmax', [x], y, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).softmaxGrad(y.handle, dOut.handle, dX.handle, rows, cols)
    return [dX]
  })
}
