import type { Tensor } from '@tau/tensor'

/** What an attention remembers between decoding steps. `Positions` is what it takes of new ones: keys, values, decay and their queries.
 *  Lives until disposed, whatever scope is open. */
export interface DecodeCache<Positions> extends Disposable {
  /** Positions so far. */
  readonly length: number
  /** The least length above 0 that {@link truncate} takes. 1 if every position is kept; `length` if none can be forgotten alone. */
  readonly minLength: number
  /** Adds T positions and attends with the queries of each: [B, H, T, D], as one full pass over all positions gives it. */
  extend(positions: Positions): Tensor
  /** Keeps the first `length` positions and forgets the newer ones. `length` is 0, or from minLength to the present one. Throws
   *  RangeError for any other. */
  truncate(length: number): void
  /** A second cache with the same positions. Both go on independently, and each must be disposed. */
  fork(): DecodeCache<Positions>
  /** Forgets all positions and keeps the room for them. */
  reset(): void
  /** Bytes held, room to spare included. Memory that forks share counts in full for each. */
  bytes(): number
  dispose(): void
}

/** Throws RangeError unless the cache can be truncated to `length`; `why` says what stands in the way of a length below minLength. */
export function checkTruncation(
  op: string,
  cache: { readonly length: number; readonly minLength: number },
  length: number,
  why: string,
): void {
  if (!(Number.isInteger(length) && length >= 0 && length <= cache.length))
    throw new RangeError(
      `${op}: length must be a whole number from 0 to ${cache.length}, the positions there are, got ${length}`,
    )
  if (length > 0 && length < cache.minLength)
    throw new RangeError(
      `${op}: length must be 0 or at least ${cache.minLength}, ${why}, got ${length}; fork the cache before positions that may have to go`,
    )
}
