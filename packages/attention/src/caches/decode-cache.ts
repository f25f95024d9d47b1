import type { Tensor } from '@tau/tensor'

/** The state of an attention between decoding steps. `Positions` are the inputs of new positions: keys,
 *  values, decay and their queries. It outlives scopes: dispose it. */
export interface DecodeCache<Positions> extends Disposable {
  /** Positions so far. */
  readonly length: number
  /** The least length above 0 that {@link truncate} accepts. It is 1 if every position is kept, and `length`
   *  if no single position can be forgotten. */
  readonly minLength: number
  /** Adds T positions and attends with their queries: [B, H, T, D]. The result equals that of one full pass
   *  over all positions. */
  extend(positions: Positions): Tensor
  /** Keeps the first `length` positions and forgets the newer ones. `length` is 0, or from minLength to the
   *  present length. Throws RangeError for any other. */
  truncate(length: number): void
  /** A second cache with the same positions. Both go on independently, and each must be disposed. */
  fork(): DecodeCache<Positions>
  /** Forgets all positions and keeps their memory. */
  reset(): void
  /** Bytes held, with spare capacity. Memory that forks share counts in full for each. */
  bytes(): number
  dispose(): void
}

/** Throws RangeError unless the cache can be truncated to `length`. `why` says why a length below minLength
 *  is impossible. */
export function checkTruncation(
  op: string,
  cache: { readonly length: number; readonly minLength: number },
  length: number,
  why: string,
): void {
  if (!(Number.isInteger(length) && length >= 0 && length <= cache.length))
    throw new RangeError(
      `${op}: length must be a whole number from 0 to ${cache.length}, the cached positions, got ${length}`,
    )
  if (length > 0 && length < cache.minLength)
    throw new RangeError(
      `${op}: length must be 0 or at least ${cache.minLength}, ${why}, got ${length}; fork the cache before you add positions that may be forgotten`,
    )
}
