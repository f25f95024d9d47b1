import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { normalizeAxis, splitAt } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** out[o, i, n] = Σ x[o, j, n] over j ≤ i; with `reverse`, over j ≥ i. The cpu backend keeps the running sum
 *  in f64. */
export type CumsumKernel = (
  x: Handle,
  out: Handle,
  outer: number,
  length: number,
  inner: number,
  reverse: boolean,
) => void

/** Running sums along `axis`. */
export function cumsum(x: Tensor, axis = -1): Tensor {
  checkDType('cumsum', 'x', x, 'f32')
  const at = normalizeAxis('cumsum', axis, x.rank)
  const { outer, length, inner } = splitAt(x.shape, at)
  const out = x.device.empty(x.shape)
  kernelsOf(x.device).cumsum(x.handle, out.handle, outer, length, inner, false)
  return record('cumsum', [x], out, (dOut) => {
    const dX = x.device.empty(x.shape)
    kernelsOf(x.device).cumsum(dOut.handle, dX.handle, outer, length, inner, true)
    return [dX]
  })
}
