import type { Tensor } from '@tau/tensor'
import type { Handle } from '@tau/tensor/kernel'
import type { DecayBuffers } from '../attention-shape.ts'

/** Buffers of the inputs. lambdaK, v and logDecay have `capacity` rows per head. */
export interface LambdaHandles {
  readonly lambdaQ: Handle
  readonly lambdaK: Handle
  readonly v: Handle
  readonly temperature: Handle
  readonly logDecay: DecayBuffers | undefined
}

/** The result of one forward pass, and the function that computes its gradients. */
export interface LambdaPass {
  readonly out: Tensor
  /** The gradients of Σ dOut·out. The gradient of the decay is computed only if `decayWanted` is true. */
  backward(dOut: Tensor, decayWanted: boolean): LambdaGrads
}

interface LambdaGrads {
  readonly lambdaQ: Tensor
  readonly lambdaK: Tensor
  readonly v: Tensor
  readonly temperature: Tensor
  /** The gradient in the shape of the given readings, [B, H, Tk] or [H, Tk]. */
  logDecay(readings: Tensor): Tensor | null
}
