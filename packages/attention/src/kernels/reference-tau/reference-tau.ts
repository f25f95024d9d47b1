import { ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { checkRank, type Handle } from '@tau/tensor/kernel'
import { DEFAULT_EPS, TAU_FLOOR } from '../../constants.ts'
import { kernelsOf } from '../table.ts'

export type Middle = 'median' | 'mean'

/** out[r] = max(median or mean of row r, floor). */
export type ReferenceTauKernel = (
  x: Handle,
  out: Handle,
  rows: number,
  cols: number,
  middle: Middle,
  floor: number,
) => void

/** The longest vector that fits a thread's scratch. */
const MAX_DIM = 65_536

/** τ of every vector as the reference implementation computes it: max(median or mean of the vector's own
 *  components, 1e-10, eps). x [..., D] → [...]. See docs/definition.md, section 2, policies
 *  `reference-median` and `reference-mean`. Use it only to load models of that implementation. If the median
 *  is not positive, τ falls to eps, and λ is about 1 whatever the energy is. τ is a constant for
 *  differentiation, as it is there: x gets no gradient. */
export function referenceTau(x: Tensor, middle: Middle, eps = DEFAULT_EPS): Tensor {
  checkRank('referenceTau', 'x', x, 1)
  const dim = x.shape[x.rank - 1]
  if (dim === 0 || dim > MAX_DIM)
    throw new ShapeError(
      `referenceTau: the last axis must have 1 to ${MAX_DIM} elements, got ${shapeText(x.shape)}`,
    )
  const out = x.device.empty(x.shape.slice(0, -1))
  kernelsOf(x.device).referenceTau(x.handle, out.handle, out.size, dim, middle, Math.max(TAU_FLOOR, eps))
  return out
}
