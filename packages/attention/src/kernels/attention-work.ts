import type { Work } from '@tau/tensor/kernel'
import type { AttentionSizes } from './attention-shape.ts'

/** Work per pair, query and key of a launch. A pair is a query and a key that the query sees. */
interface PairWork {
  /** Floating-point operations of a pair. */
  readonly perPair: number
  /** Elements of 4 bytes that are read and written for a query, and for a key. */
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

/** Number of pairs of a query and a key that it sees. A query sees the newest `window` keys up to its own
 *  time. */
function seenPairs(queries: number, keys: number, window: number): number {
  const all = queries * (keys - (queries - 1) / 2)
  // A query at time t does not see t + 1 − window keys. Over the queries that miss any, that is an arithmetic
  // series.
  const most = keys - window
  if (most <= 0) return all
  const missing = Math.min(queries, most)
  return all - missing * (most - (missing - 1) / 2)
}
