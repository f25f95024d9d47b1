import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkSameShape } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** target[i] += scale · x[i] for i < n, in place. */
export type AccumulateKernel = (target: Handle, x: Handle, scale: number, n: number) => void

/** target += scale · x, in place. For gradients that are summed over micro-batches. No tape records it. */
export function addInto(target: Tensor, x: Tensor, scale = 1): void {
  checkDevice('addInto', target, x)
  checkSameShape('addInto', target, x)
  kernelsOf(target.device).accumulate(target.handle, x.handle, scale, x.size)
}
