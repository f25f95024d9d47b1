import type { GPT } from '@tau/model'
import type { Tensor } from '@tau/tensor'

/** Loss, gradients or parameters stopped being finite. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError'
  /** The step that failed, counted from 1. Its update was not made if its loss or gradients failed; if they were finite and what
   *  came of them is not, it was, and the parameters are lost. */
  readonly step: number
  /** Directory of the last checkpoint, from which the run can go on. */
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

/** Names the first tensor that is not finite and its value: a parameter if one is, else a gradient; undefined if none is.
 *  `grads` are in the order of the parameters, or empty. */
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
