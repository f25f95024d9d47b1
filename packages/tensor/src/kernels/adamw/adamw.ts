import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkSameShape } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** Numbers of one AdamW step. */
export interface AdamWStep {
  /** Learning rate of this step. */
  readonly lr: number
  readonly beta1: number
  readonly beta2: number
  readonly eps: number
  /** Decoupled weight decay: the parameter shrinks by lr·weightDecay. 0 for vectors and scalars. */
  readonly weightDecay: number
  /** The number of the step, counted from 1; corrects the bias of the moments. */
  readonly step: number
  /** Gradients are scaled by min(1, maxNorm / (norm + 1e-6)); Infinity: no clipping. */
  readonly maxNorm: number
}

/** In place, for i < n, with g = clip · grad[i]: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
 *  p ← p·(1 − lr·weightDecay) − lr·(m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + eps).
 *  `norm` holds one number. If it is not finite, nothing changes, so a bad step can be reported with the
 *  parameters intact. */
export type AdamWKernel = (
  param: Handle,
  grad: Handle,
  m: Handle,
  v: Handle,
  norm: Handle,
  n: number,
  step: AdamWStep,
) => void

/** One AdamW update of one parameter, in place. `norm` is the {@link globalNorm} of all gradients.
 *  Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2. */
export function adamwUpdate(
  param: Tensor,
  grad: Tensor,
  m: Tensor,
  v: Tensor,
  norm: Tensor,
  step: AdamWStep,
): void {
  checkDevice('adamwUpdate', param, grad, m, v, norm)
  for (const other of [grad, m, v]) checkSameShape('adamwUpdate', param, other)
  if (norm.size !== 1)
    throw new ShapeError(`adamwUpdate: norm must hold one element, got ${shapeText(norm.shape)}`)
  if (!Number.isInteger(step.step) || step.step < 1)
    throw new RangeError(`adamwUpdate: step must count from 1, got ${step.step}`)
  kernelsOf(param.device).adamw(param.handle, grad.handle, m.handle, v.handle, norm.handle, param.size, step)
}
