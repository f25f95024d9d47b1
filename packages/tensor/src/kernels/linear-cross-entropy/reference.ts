import { crossEntropyReference } from '../cross-entropy/reference.ts'
import { matmulReference } from '../matmul/reference.ts'
import { softcapReference } from '../softcap/reference.ts'

export interface LogitSizes {
  readonly width: number
  readonly cols: number
  readonly clamp?: number | undefined
  readonly softcap?: number | null | undefined
}

/** Mean cross-entropy of softcap(clamp(x·Wᵀ)), computed from all logits. */
export function linearCrossEntropyReference(
  x: Float64Array,
  weight: Float64Array,
  targets: ArrayLike<number>,
  { width, cols, clamp = Number.POSITIVE_INFINITY, softcap = null }: LogitSizes,
): number {
  const sizes = { batch: 1, m: targets.length, n: cols, k: width, strideA: 0, strideB: 0 }
  const limited = matmulReference('nt', x, weight, sizes).map((z) => Math.min(Math.max(z, -clamp), clamp))
  const logits = softcap === null ? limited : softcapReference(limited, softcap)
  return crossEntropyReference(logits, targets, cols)
}
