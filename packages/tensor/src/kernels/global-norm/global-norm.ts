import { refuseTape } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** out[0] = √(Σ over all buffers of x[i]²). The cpu backend sums in f64. */
export type GlobalNormKernel = (buffers: readonly { handle: Handle; length: number }[], out: Handle) => void

/** Euclidean norm of all tensors taken as one vector → scalar. This is the gradient norm before clipping. No
 *  gradient. */
export function globalNorm(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new RangeError('globalNorm: at least one tensor must be given, got none')
  const [first, ...rest] = tensors
  checkDevice('globalNorm', first, ...rest)
  refuseTape('globalNorm', ...tensors)
  const out = first.device.empty([])
  kernelsOf(first.device).globalNorm(
    tensors.map((tensor) => ({ handle: tensor.handle, length: tensor.size })),
    out.handle,
  )
  return out
}
