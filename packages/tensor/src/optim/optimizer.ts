import type { NamedArray } from '../files/safetensors.ts'
import type { Tensor } from '../tensor.ts'

/** Changes parameters in place by their gradients. The gradients come in the order of the parameters. */
export interface Optimizer extends Disposable {
  /** Its name in checkpoints: `adamw`. */
  readonly name: string
  /** Number of updates so far. */
  readonly steps: number
  /** Bytes of device memory that its state takes. */
  readonly bytes: number
  /** One update with learning rate `lr`. Enqueues all work and waits for nothing. Returns the norm of all
   *  gradients before clipping (a scalar).
   *  If the norm is not finite, no parameter and no state changes, but the step is counted. Read the norm
   *  before the next step, and stop then. */
  step(grads: readonly Tensor[], lr: number): Tensor
  /** All that a resume needs. */
  state(): Promise<OptimizerState>
  /** Continues from a saved state. Throws if the state belongs to another optimizer, if an array is missing
   *  or has another size, or if the number of steps is invalid. Then nothing changes. */
  restore(state: OptimizerState): void
}

/** The state of an optimizer after some steps, without the parameters. */
export interface OptimizerState {
  /** The optimizer's name. */
  readonly optimizer: string
  /** Whole numbers of at least 0, by name. */
  readonly counts: Readonly<Record<string, number>>
  /** Arrays of f32, by name. */
  readonly tensors: ReadonlyMap<string, NamedArray>
}

/** Tensors by name, in the order of their gradients. */
export type NamedTensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>

/** Parameters with their own settings. A setting that the group leaves out is the optimizer's. Parameters in
 *  no group have the optimizer's settings. */
export interface ParameterGroup {
  /** Names of the parameters. */
  readonly names: readonly string[]
  /** Factor of the learning rate; default 1. */
  readonly lrScale?: number
  /** Decoupled weight decay. Unlike the optimizer's setting, it applies to vectors and scalars too. */
  readonly weightDecay?: number
  /** Whether these are weights [out, in] of hidden layers, which map vectors to vectors. Embeddings and the
   *  output layer are not hidden. Muon makes the updates of hidden weights orthogonal; other optimizers
   *  ignore this. */
  readonly isHidden?: boolean
}

/** Options of every optimizer. */
export interface CommonOptions {
  /** Decoupled weight decay of parameters with two axes or more: they shrink by lr·weightDecay. Default 0. */
  readonly weightDecay?: number
  /** Gradients are scaled so that their global norm is at most this. Default Infinity: never. */
  readonly gradClip?: number
  readonly groups?: readonly ParameterGroup[]
}
