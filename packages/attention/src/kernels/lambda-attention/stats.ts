/** Numbers that the forward pass keeps of a row, about its top key, the one with the largest score; from them the backward pass
 *  makes any weight again. Gaps |λq − λk| equal that of the top key at `upper` above the query and at `lower` below it: one of
 *  them is the top key's λ, the other its mirror image 2λq − λk, in two parts. The layout is that of assembly/lambda-attention/quadratic.ts. */
export const STAT = {
  upper: 0,
  upperLow: 1,
  lower: 2,
  lowerLow: 3,
  /** Its decay reading. */
  logDecay: 4,
  decayLow: 5,
  /** 1 / Σ_j e^(score_j − largest score) */
  mass: 6,
  /** Σ_j p_j (gap_j − its gap) */
  mean: 7,
  /** Its index; a whole number in the backend's own format. */
  top: 8,
} as const

/** How many there are. */
export const STATS = 9
