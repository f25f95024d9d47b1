import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkSameShape } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** Numbers of one step of gradient descent. */
export interface SgdStep {
  /** Learning rate of this step. */
  readonly lr: number
  /** Share of the velocity that stays from one step to the next, at least 0 and below 1. */
  readonly momentum: number
  /** Looks one step ahead: the step is along g + momentum · velocity, instead of along the velocity. */
  readonly nesterov: boolean
  /** Decoupled weight decay: the parameter shrinks by lr·weightDecay. */
  readonly weightDecay: number
  /** Gradients are scaled by min(1, maxNorm / (norm + 1e-6)); Infinity: no clipping. */
  readonly maxNorm: number
}

/** In place, for i < n, with g = clip · grad[i]: v ← momentum·v + g, d = g + momentum·v with nesterov, else d = v,
 *  p ← p·(1 − lr·weightDecay) − lr·d. Without a velocity d = g. `norm` holds one number; nothing changes if it is not
 *  finite. */
export type SgdKernel = (
  param: Handle,
  grad: Handle,
  velocity: Handle | undefined,
  norm: Handle,
  n: number,
  step: SgdStep,
) => void

/** One step of gradient descent with momentum of one parameter, in place. `norm` is the {@link globalNorm} of all
 *  gradients. `velocity` starts at 0; without one there is no momentum.
 *  Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep learning (2013);
 *  nesterov and velocity as in PyTorch's SGD, weight decay as in Loshchilov and Hutter (2019), algorithm 1. */
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

/** The weights of gradient and velocity in the direction of a step that has a velocity. */
export const sgdWeights = ({ momentum, nesterov }: SgdStep) =>
  nesterov ? { own: 1, past: momentum } : { own: 0, past: 1 }
