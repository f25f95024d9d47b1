import type { SgdStep } from './sgd.ts'

export interface SgdState {
  readonly param: Float64Array
  /** Undefined: no momentum. */
  readonly velocity: Float64Array | undefined
}

/** One step in f64. */
export function sgdReference(
  { param, velocity }: SgdState,
  grad: Float64Array,
  norm: number,
  { lr, momentum, nesterov, weightDecay, maxNorm }: SgdStep,
): SgdState {
  if (!Number.isFinite(norm)) return { param, velocity }
  const clip = Math.min(1, maxNorm / (norm + 1e-6))
  const clipped = grad.map((g) => clip * g)
  const next = velocity?.map((old, i) => momentum * old + clipped[i])
  const direction = next && (nesterov ? next.map((v, i) => clipped[i] + momentum * v) : next)
  return {
    param: param.map((p, i) => p - lr * (weightDecay * p + (direction ?? clipped)[i])),
    velocity: next,
  }
}
