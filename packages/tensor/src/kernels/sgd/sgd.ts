import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkSameShape } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** Numbers of one step of gradient descent. */
export interface SgdStep {
  /** Learning rate of this step. */
  readonly lr: number
  /** Share of the velocity that is kept from one step to the next, at least 0 and below 1. */
  readonly momentum: number
  /** Looks one step ahead: the step goes along g + momentum · velocity instead of along the velocity. */
  readonly nesterov: boolean
  /** Decoupled weight decay: the parameter shrinks by lr·weightDecay. */
  readonly weightDecay: number
  /** Gradients are scaled by min(1, maxNorm / (norm + 1e-6)); Infinity: no clipping. */
  readonly maxNorm: number
}

/** In place, for i < n, with g = clip · grad[i]: v ← momentum·v + g, p ← p·(1 − lr·weightDecay) − lr·d. With
 *  nesterov d = g + momentum·v, else d = v; without a velocity d = g. `norm` holds one number. If it is not
 *  finite, nothing changes. */
export type SgdKernel = (
  param: Handle,
  grad: Handle,
  velocity: Handle | undefined,
  norm: Handle,
  n: number,
  step: SgdStep,
) => void

/** One step of gradient descent with momentum for one parameter, in place. `norm` is the {@link globalNorm}
 *  of all gradients. `velocity` starts at 0; without one there is no momentum.
 *  Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep
 *  learning (2013). Nesterov and velocity as in PyTorch's SGD; weight decay as in Loshchilov and Hutter
 *  (2019), algorithm 1. */
export function sgdUpdate(
  param: Tensor,
  grad: Tensor,
  velocity: Tensor | undefined,
  norm: Tensor,
  step: SgdStep,
): void {
  const state = velocity ? [velocity] : []
  checkDevice('sgdUpdate', param, grad, norm, ...state)
  for (const other of [grad, ...state]) checkSameShape('sgdUpdate', param, other)
  if (norm.size !== 1)
    throw new ShapeError(`sgdUpdate: norm must hold one element, got ${shapeText(norm.shape)}`)
  kernelsOf(param.device).sgd(param.handle, grad.handle, velocity?.handle, norm.handle, param.size, step)
}

/** Weights of the gradient and the velocity in the direction of a step, if there is a velocity. */
export const sgdWeights = ({ momentum, nesterov }: SgdStep) =>
  nesterov ? { own: 1, past: momentum } : { own: 0, past: 1 }
