import type { Work } from '@tau/tensor'
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
  ({ batch, heads, kvHeads, queries, keys }: AttentionSizes, { perPair, perQuery, perKey }: PairWork) =>
  (): Work => {
    const pairs = batch * heads * queries * (keys - (queries - 1) / 2)
    const elements = batch * (heads * queries * perQuery + kvHeads * keys * perKey)
    return {
      flops: perPair * pairs,
      bytes: Float32Array.BYTES_PER_ELEMENT * elements,
      shape: `${batch} x ${heads} heads, ${queries} of ${keys}`,
    }
  }
