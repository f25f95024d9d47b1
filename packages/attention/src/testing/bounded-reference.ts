/** What one query sees, for the plain f64 loops below. */
export interface BoundedCase {
  readonly beta: number
  readonly bins: number
  readonly query: number
  /** The keys up to now: their λ, their decay readings, and their values, `dim` each. */
  readonly keys: ArrayLike<number>
  readonly logDecay: ArrayLike<number>
  readonly v: ArrayLike<number>
  readonly dim: number
  readonly count: number
}

const binOf = (lambda: number, bins: number) => Math.min(bins - 1, Math.floor(lambda * bins))

/** Exact attention of one query:
 *  - `out`: the result;
 *  - `ownShare`: the share of the weight on keys in the query's own bin;
 *  - `ownDistance`: the largest distance from `found` to a value of the own bin;
 *  - `diameter`: the largest distance between two values.
 *  Distances are in the maximum norm. */
export function exactAttention(
  { beta, bins, query, keys, logDecay, v, dim, count }: BoundedCase,
  found: ArrayLike<number>,
): { out: Float64Array; ownShare: number; ownDistance: number; diameter: number } {
  const scores = Float64Array.from(
    { length: count },
    (_, j) => -beta * Math.abs(query - keys[j]) + logDecay[j],
  )
  let top = Number.NEGATIVE_INFINITY
  for (const score of scores) top = Math.max(top, score)
  const out = new Float64Array(dim)
  const low = new Float64Array(dim).fill(Number.POSITIVE_INFINITY)
  const high = new Float64Array(dim).fill(Number.NEGATIVE_INFINITY)
  let [mass, own, ownDistance] = [0, 0, 0]
  for (let j = 0; j < count; j++) {
    const weight = Math.exp(scores[j] - top)
    const isOwn = binOf(keys[j], bins) === binOf(query, bins)
    mass += weight
    if (isOwn) own += weight
    for (let d = 0; d < dim; d++) {
      const value = v[j * dim + d]
      out[d] += weight * value
      low[d] = Math.min(low[d], value)
      high[d] = Math.max(high[d], value)
      if (isOwn) ownDistance = Math.max(ownDistance, Math.abs(value - found[d]))
    }
  }
  const diameter = Math.max(...high.map((value, d) => value - low[d]))
  return { out: out.map((sum) => sum / mass), ownShare: own / mass, ownDistance, diameter }
}

/** The smaller of the two bounds in BoundedTauCache's docstring, in the maximum norm. */
export function statedBound(
  beta: number,
  bins: number,
  { ownShare, ownDistance, diameter }: ReturnType<typeof exactAttention>,
): number {
  const least = 2 / (1 + Math.exp(beta / bins))
  const delta = (1 - least) / (1 + least)
  const tau = (1 - Math.sqrt(least)) / (1 + Math.sqrt(least))
  return Math.min(delta * ownShare * ownDistance, tau * diameter)
}
