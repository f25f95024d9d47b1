import { ELEMENT_BYTES } from '@tau/tensor/kernel'
import { lambdaAttentionQuadratic as quadratic } from '../../generated/constants.ts'

/** The place of the number that lies at this offset. */
const field = (bytes: number): number => bytes / ELEMENT_BYTES

/** Fields of the numbers that the forward pass keeps of a row. The top key of a row is the key with the
 *  largest score. From these numbers the backward pass computes any weight of the row again. A gap is
 *  |λq − λk|. Two values of λ have the same gap as the top key: `upper` lies above the query and `lower`
 *  below it. One of them is the λ of the top key. The other is its mirror image 2λq − λk, kept in two parts.
 *  assembly/lambda-attention/quadratic.ts defines the layout. */
export const STAT = {
  upper: field(quadratic.UPPER),
  upperLow: field(quadratic.UPPER_LOW),
  lower: field(quadratic.LOWER),
  lowerLow: field(quadratic.LOWER_LOW),
  /** The top key's decay reading, in two parts. */
  logDecay: field(quadratic.DECAY),
  decayLow: field(quadratic.DECAY_LOW),
  /** 1 / Σ_j e^(score_j − largest score) */
  mass: field(quadratic.MASS),
  /** Σ_j p_j (gap_j − gap of the top key) */
  mean: field(quadratic.MEAN),
  /** Index of the top key. Each backend stores this whole number in its own format. */
  top: field(quadratic.TOP),
} as const

/** Numbers per row. */
export const STATS = field(quadratic.STAT_BYTES)
