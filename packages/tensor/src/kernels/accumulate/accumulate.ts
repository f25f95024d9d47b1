import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkSameShape } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** target[i] += scale · x[i] for i < n, in place. */
export type AccumulateKernel = (target: Handle, x: Handle, scale: number, n: number) => void

/** target += scale · x, in place: for gradients that add up over micro-batches. Not recorded on a tape. */
export function addInto(target: Tensor, x: Tensor, scale = 1): void {
  checkDevice('addInto', target, x)
  checkSameShape('addInto', target, x)
  kernelsOf(target.device).accumulate(target.handle, x.handle, scale, x.size)
}
