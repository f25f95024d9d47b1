import type { GPT } from '@tau/model'
import type { Tensor } from '@tau/tensor'

/** Loss or gradients stopped being finite. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError'
  /** The step that failed, counted from 1; its update was not made. */
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

/** Names the first tensor that is not finite: a parameter if one is, else a gradient. */
export async function explainDivergence(
  model: GPT,
  grads: readonly Tensor[],
  loss: number,
  gradNorm: number,
): Promise<string> {
  const names = Array.from(model.parameters.keys())
  const values = Array.from(model.parameters.values())
  const head = `loss ${loss} and gradient norm ${gradNorm}`
  for (const [i, name] of names.entries()) {
    const bad = (await values[i].data()).find((value) => !Number.isFinite(value))
    if (bad !== undefined) return `${head}: parameter ${name} holds ${bad}`
  }
  for (const [i, name] of names.entries()) {
    const bad = (await grads[i].data()).find((value) => !Number.isFinite(value))
    if (bad !== undefined) return `${head}: the gradient of ${name} holds ${bad}`
  }
  return `${head}, although every single parameter and gradient is finite: their squares overflow`
}
