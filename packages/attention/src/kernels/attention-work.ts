import type { Work } from '@tau/tensor/kernel'
import type { AttentionSizes } from './attention-shape.ts'

/** Work of a launch over all pairs of a query and a key that is not after it. */
interface PairWork {
  /** Floating-point operations of a pair. */
  readonly perPair: number
  /** Elements of 4 bytes that a query, and a key, is read and written with. */
  readonly perQuery: number
  readonly perKey: number
}

export const attentionWork =
  (
    {
      batch,
      heads,
      kvHeads,
      queries,
      keys,
      window = Number.POSITIVE_INFINITY,
    }: AttentionSizes & { readonly window?: number },
    { perPair, perQuery, perKey }: PairWork,
  ) =>
  (): Work => {
    const pairs = batch * heads * seenPairs(queries, keys, window)
    const elements = batch * (heads * queries * perQuery + kvHeads * keys * perKey)
    return {
      flops: perPair * pairs,
      bytes: Float32Array.BYTES_PER_ELEMENT * elements,
      shape: `${batch} x ${heads} heads, ${queries} of ${keys}`,
    }
  }

/** Pairs of a query and a key that it sees: the newest `window` of those up to its own time. */
function seenPairs(queries: number, keys: number, window: number): number {
  const all = queries * (keys - (queries - 1) / 2)
  // A query at time t misses t + 1 − window keys: an arithmetic series over the queries that miss any.
  const most = keys - window
  if (most <= 0) return all
  const missing = Math.min(queries, most)
  return all - missing * (most - (missing - 1) / 2)
}
