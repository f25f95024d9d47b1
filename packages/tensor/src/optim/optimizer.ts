import type { NamedArray } from '../files/safetensors.ts'
import type { Tensor } from '../tensor.ts'

/** Changes parameters in place by their gradients. The parameters have an order: gradients come in it. */
export interface Optimizer extends Disposable {
  /** What a checkpoint calls it: `adamw`. */
  readonly name: string
  /** Updates done so far. */
  readonly steps: number
  /** Device memory of what is kept from step to step. */
  readonly bytes: number
  /** One update with learning rate `lr`. Enqueues everything and waits for nothing. Returns the norm of all gradients
   *  before clipping (scalar). If it is not finite, no parameter and no state is changed, but the step is counted: read
   *  the norm before the next step, and stop there. */
  step(grads: readonly Tensor[], lr: number): Tensor
  /** All that a resume needs. */
  state(): Promise<OptimizerState>
  /** Takes up a saved state. Throws if it is another optimizer's, an array is missing or of another size, or a count is
   *  none; nothing is changed then. */
  restore(state: OptimizerState): void
}

/** What an optimizer knows after some steps, without the parameters. */
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

/** Parameters with settings of their own. What a group leaves out, and every parameter without a group, has the
 *  optimizer's settings. */
export interface ParameterGroup {
  /** Names of the parameters. */
  readonly names: readonly string[]
  /** The learning rate is multiplied by it; default 1. */
  readonly lrScale?: number
  /** Decoupled weight decay, for vectors and scalars too. */
  readonly weightDecay?: number
  /** Whether they are weights [out, in] of hidden layers, which map vectors to vectors: neither embeddings nor the
   *  output layer. Muon makes their updates orthogonal; other optimizers take no notice. */
  readonly isHidden?: boolean
}

/** What every optimizer can be told. */
export interface CommonOptions {
  /** Decoupled weight decay of parameters with two axes or more: they shrink by lr·weightDecay. Default 0. */
  readonly weightDecay?: number
  /** Gradients are scaled so that their global norm is at most this. Default Infinity: never. */
  readonly gradClip?: number
  readonly groups?: readonly ParameterGroup[]
}
