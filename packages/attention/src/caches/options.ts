import { ShapeError, shapeText, type Tensor } from '@tau/tensor'

/** Options that the decode caches have in common. */
export interface CacheOptions {
  batch: number
  heads: number
  kvHeads: number
  /** Length of a value vector. */
  valueDim: number
  /** Whether positions have decay readings. */
  decay: boolean
  /** Capacity in positions at the start. Default 64. */
  capacity?: number
}

export function checkGroups(op: string, heads: number, kvHeads: number): void {
  if (!(heads >= 1 && kvHeads >= 1 && heads % kvHeads === 0))
    throw new RangeError(`${op}: heads must be a multiple of kvHeads, got ${heads} and ${kvHeads}`)
}

/** Throws ShapeError unless queries are [B, H, Tq, ...rest] with Tq at most the cached length. */
export function checkQueries(
  op: string,
  name: string,
  queries: Tensor,
  lead: readonly number[],
  rest: readonly number[],
  length: number,
): void {
  const expected = [...lead, queries.shape[2] ?? 0, ...rest]
  if (queries.rank !== expected.length || queries.shape.some((n, axis) => n !== expected[axis]))
    throw new ShapeError(
      `${op}: ${name} must be [${[...lead, 'Tq', ...rest].join(', ')}], got ${shapeText(queries.shape)}`,
    )
  if (queries.shape[2] > length)
    throw new ShapeError(
      `${op}: ${name} must hold at most the ${length} cached positions, got ${queries.shape[2]}; append them first`,
    )
}
