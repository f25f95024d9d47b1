import type { GPT } from '@tau/model'
import type { Tensor } from '@tau/tensor'

/** Thrown if the loss, a gradient or a parameter is no longer finite. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError'
  /** The step that failed, counted from 1. If its loss or gradients were not finite, the parameters are those
   *  before the step. If they were finite but its update made a parameter that is not, the parameters are
   *  lost. */
  readonly step: number
  /** Folder of the last checkpoint. The run can continue from it. */
  readonly lastCheckpoint: string | undefined

  constructor(step: number, what: string, lastCheckpoint: string | undefined) {
    const next = lastCheckpoint
      ? `the last good checkpoint is ${lastCheckpoint}: resume from it with a lower lr or gradClip`
      : 'no checkpoint was saved yet: start again with a lower lr or gradClip'
    super(`train: step ${step} must have a finite loss and gradient, got ${what}; ${next}`)
    this.step = step
    this.lastCheckpoint = lastCheckpoint
  }
}

/** Finds the first tensor with a value that is not finite, and describes both. Looks at the parameters first,
 *  then at the gradients. Undefined if all values are finite. `grads` are in the order of the parameters, or
 *  empty. */
export async function findNonFinite(model: GPT, grads: readonly Tensor[]): Promise<string | undefined> {
  const entries = Array.from(model.parameters)
  for (const [name, tensor] of entries) {
    const bad = firstNonFinite(await tensor.data())
    if (bad !== undefined) return `parameter ${name} holds ${bad}`
  }
  for (const [i, grad] of grads.entries()) {
    const bad = firstNonFinite(await grad.data())
    if (bad !== undefined) return `the gradient of ${entries[i][0]} holds ${bad}`
  }
}

const firstNonFinite = (values: Float32Array): number | undefined =>
  values.find((value) => !Number.isFinite(value))
