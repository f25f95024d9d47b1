import { attentionReference, type ReferenceSizes } from '../lambda-attention/reference.ts'

/** Dot-product attention in plain f64 loops: q [B, H, Tq, K], k [B, Hkv, Tk, K], v [B, Hkv, Tk, D], logDecay
 *  [B, H, Tk]. A query sees the newest `window` keys. */
export function dotAttentionReference(
  sizes: ReferenceSizes & { readonly keyDim: number; readonly window?: number },
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  logDecay?: Float64Array,
): Float64Array {
  const { queries, keys, keyDim, window = Number.POSITIVE_INFINITY } = sizes
  return attentionReference(sizes, v, (head, kvHead, query, key) => {
    if (key <= query + keys - queries - window) return Number.NEGATIVE_INFINITY
    let product = 0
    for (let c = 0; c < keyDim; c++)
      product += q[(head * queries + query) * keyDim + c] * k[(kvHead * keys + key) * keyDim + c]
    const elapsed = logDecay
      ? logDecay[head * keys + query + keys - queries] - logDecay[head * keys + key]
      : 0
    return product / Math.sqrt(keyDim) - elapsed
  })
}
