import type { AdamWStep } from './adamw.ts'

export interface AdamWState {
  readonly param: Float64Array
  readonly m: Float64Array
  readonly v: Float64Array
}

/** One step in f64. */
export function adamwReference(
  { param, m, v }: AdamWState,
  grad: Float64Array,
  norm: number,
  { lr, beta1, beta2, eps, weightDecay, step, maxNorm }: AdamWStep,
): AdamWState {
  if (!Number.isFinite(norm)) return { param, m, v }
  const clip = Math.min(1, maxNorm / (norm + 1e-6))
  const first = m.map((old, i) => beta1 * old + (1 - beta1) * clip * grad[i])
  const second = v.map((old, i) => beta2 * old + (1 - beta2) * (clip * grad[i]) ** 2)
  const next = param.map((old, i) => {
    const mean = first[i] / (1 - beta1 ** step)
    const spread = Math.sqrt(second[i] / (1 - beta2 ** step))
    return old - lr * weightDecay * old - (lr * mean) / (spread + eps)
  })
  return { param: next, m: first, v: second }
}
