/** Sizes of one attention. Query i of `queries` has time i + keys − queries. */
export interface ReferenceSizes {
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly queries: number
  readonly keys: number
  readonly dim: number
}

/** Causal softmax attention in plain f64 loops, with the scores of a function: v [B, Hkv, Tk, D] →
 *  [B, H, Tq, D]. */
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
        if (weight === 0) return
        for (let d = 0; d < dim; d++)
          out[(head * queries + query) * dim + d] += (weight / mass) * v[(kvHead * keys + key) * dim + d]
      })
    }
  }
  return out
}

/** λ-distance attention in plain f64 loops (docs/definition.md, section 3). logDecay is [B, H, Tk], or
 *  [H, Tk] if `shared`. */
export function lambdaAttentionReference(
  sizes: ReferenceSizes,
  lambdaQ: Float64Array,
  lambdaK: Float64Array,
  v: Float64Array,
  temperature: Float64Array,
  logDecay?: Float64Array,
  shared = false,
): Float64Array {
  const { heads, queries, keys } = sizes
  return attentionReference(sizes, v, (head, kvHead, query, key) => {
    const gap = Math.abs(lambdaQ[head * queries + query] - lambdaK[kvHead * keys + key])
    const row = (shared ? head % heads : head) * keys
    const elapsed = logDecay ? logDecay[row + query + keys - queries] - logDecay[row + key] : 0
    return -gap / temperature[head % heads] - elapsed
  })
}

/** Gradients of Σ dOut·out of {@link lambdaAttentionReference} in plain f64 loops: to lambdaQ, lambdaK, v,
 *  temperature and logDecay [B, H, Tk]. Tests use it where finite differences of the reference are too
 *  inexact: at extreme temperatures and decays. */
export function lambdaAttentionGradReference(
  sizes: ReferenceSizes,
  [lambdaQ, lambdaK, v, temperature, logDecay]: readonly Float64Array[],
  dOut: Float64Array,
): Float64Array[] {
  const { batch, heads, kvHeads, queries, keys, dim } = sizes
  const grads = [lambdaQ, lambdaK, v, temperature, logDecay].map(({ length }) => new Float64Array(length))
  const [dQ, dK, dV, dTemperature, dLogDecay] = grads
  for (let head = 0; head < batch * heads; head++) {
    const kvHead = Math.floor(head / heads) * kvHeads + Math.floor((head % heads) / (heads / kvHeads))
    const h = head % heads
    for (let query = 0; query < queries; query++) {
      const row = head * queries + query
      const now = head * keys + query + keys - queries
      const gaps = Array.from(
        { length: query + keys - queries + 1 },
        (_, key) => lambdaQ[row] - lambdaK[kvHead * keys + key],
      )
      const scores = gaps.map(
        (gap, key) => -Math.abs(gap) / temperature[h] - (logDecay[now] - logDecay[head * keys + key]),
      )
      const peak = Math.max(...scores)
      const mass = scores.reduce((sum, score) => sum + Math.exp(score - peak), 0)
      const weights = scores.map((score) => Math.exp(score - peak) / mass)
      const top = scores.indexOf(peak)
      // dOut·(v_j − v_top). If the top key has almost all weight, this difference keeps the digits that
      // count.
      const products = weights.map((weight, key) => {
        let product = 0
        if (weight > 0)
          for (let d = 0; d < dim; d++)
            product +=
              dOut[row * dim + d] * (v[(kvHead * keys + key) * dim + d] - v[(kvHead * keys + top) * dim + d])
        return product
      })
      const mean = products.reduce((sum, product, key) => sum + weights[key] * product, 0)
      gaps.forEach((gap, key) => {
        if (weights[key] === 0) return
        const at = kvHead * keys + key
        const dScore = weights[key] * (products[key] - mean)
        dQ[row] -= (dScore * Math.sign(gap)) / temperature[h]
        dK[at] += (dScore * Math.sign(gap)) / temperature[h]
        dTemperature[h] += (dScore * Math.abs(gap)) / temperature[h] ** 2
        dLogDecay[head * keys + key] += dScore
        for (let d = 0; d < dim; d++) dV[at * dim + d] += weights[key] * dOut[row * dim + d]
      })
    }
  }
  return grads
}
