/** Sizes of one attention: query i of `queries` has time i + keys − queries. */
export interface ReferenceSizes {
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly queries: number
  readonly keys: number
  readonly dim: number
}

/** Causal softmax attention over scores given by a function, in plain f64 loops; v [B, Hkv, Tk, D] → [B, H, Tq, D]. */
export function attentionReference(
  sizes: ReferenceSizes,
  v: Float64Array,
  score: (head: number, kvHead: number, query: number, key: number) => number,
): Float64Array {
  const { batch, heads, kvHeads, queries, keys, dim } = sizes
  const out = new Float64Array(batch * heads * queries * dim)
  for (let head = 0; head < batch * heads; head++) {
    const kvHead = Math.floor(head / heads) * kvHeads + Math.floor((head % heads) / (heads / kvHeads))
    for (let query = 0; query < queries; query++) {
      const scores = Array.from({ length: query + keys - queries + 1 }, (_, key) =>
        score(head, kvHead, query, key),
      )
      const peak = Math.max(...scores)
      const weights = scores.map((s) => Math.exp(s - peak))
      const mass = weights.reduce((sum, w) => sum + w, 0)
      weights.forEach((weight, key) => {
        for (let d = 0; d < dim; d++)
          out[(head * queries + query) * dim + d] += (weight / mass) * v[(kvHead * keys + key) * dim + d]
      })
    }
  }
  return out
}

/** λ-distance attention in plain f64 loops; clock [B, H, Tk], or [H, Tk] when `shared`. */
export function lambdaAttentionReference(
  sizes: ReferenceSizes,
  lambdaQ: Float64Array,
  lambdaK: Float64Array,
  v: Float64Array,
  temperature: Float64Array,
  clock?: Float64Array,
  shared = false,
): Float64Array {
  const { heads, queries, keys } = sizes
  return attentionReference(sizes, v, (head, kvHead, query, key) => {
    const gap = Math.abs(lambdaQ[head * queries + query] - lambdaK[kvHead * keys + key])
    const row = (shared ? head % heads : head) * keys
    const elapsed = clock ? clock[row + query + keys - queries] - clock[row + key] : 0
    return -gap / temperature[head % heads] - elapsed
  })
}
