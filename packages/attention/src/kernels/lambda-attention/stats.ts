/** Fields of the numbers that the forward pass keeps of a row. The top key of a row is the key with the
 *  largest score. From these numbers the backward pass computes any weight of the row again. A gap is
 *  |λq − λk|. Two values of λ have the same gap as the top key: `upper` lies above the query and `lower`
 *  below it. One of them is the λ of the top key. The other is its mirror image 2λq − λk, kept in two parts.
 *  assembly/lambda-attention/quadratic.ts has the same layout. */
export const STAT = {
  upper: 0,
  upperLow: 1,
  lower: 2,
  lowerLow: 3,
  /** The top key's decay reading, in two parts. */
  logDecay: 4,
  decayLow: 5,
  /** 1 / Σ_j e^(score_j − largest score) */
  mass: 6,
  /** Σ_j p_j (gap_j − gap of the top key) */
  mean: 7,
  /** Index of the top key. Each backend stores this whole number in its own format. */
  top: 8,
} as const

/** Numbers per row. */
export const STATS = 9
