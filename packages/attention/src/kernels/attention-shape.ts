import { checkDevice, ShapeError, shapeText, sum, type Tensor } from '@tau/tensor'

/** Sizes that both attentions share: queries sit at the last `queries` of `keys` times. */
export interface AttentionSizes {
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly queries: number
  readonly keys: number
  /** Length of a value vector. */
  readonly valueDim: number
  /** Rows of keys and values stored per head, ≥ keys: a cache has room to spare. */
  readonly capacity: number
  /** Elements from the clocks of one batch entry to the next; 0 shares them. */
  readonly clockBatch: number
}

/** Longest vectors for which a thread's scratch holds the packed blocks. */
const MAX_DIM = 2048

/** Checks what the attentions have in common, from the shapes [B, H, Tq, …], [B, Hkv, Tk, …], [B, Hkv, Tk, Dv] and, for the
 *  clock, [B, H, Tk] or [H, Tk]. */
export function attentionSizes(
  op: string,
  queries: Tensor,
  keys: Tensor,
  v: Tensor,
  clock: Tensor | undefined,
  names: { queries: string; keys: string },
): AttentionSizes {
  checkDevice(op, queries, keys, v)
  const [batch, heads, queryCount] = queries.shape
  const [keyBatch, kvHeads, keyCount] = keys.shape
  const shapes = `${names.queries} ${shapeText(queries.shape)}, ${names.keys} ${shapeText(keys.shape)}, v ${shapeText(v.shape)}`
  if (v.rank !== 4) throw new ShapeError(`${op}: v must be [B, Hkv, Tk, D], got ${shapes}`)
  const [valueBatch, valueHeads, valueCount, valueDim] = v.shape
  if (batch !== keyBatch || batch !== valueBatch || kvHeads !== valueHeads || keyCount !== valueCount)
    throw new ShapeError(
      `${op}: batches, kv heads and lengths of keys and values must be equal, got ${shapes}`,
    )
  if (kvHeads < 1 || heads % kvHeads !== 0)
    throw new ShapeError(`${op}: query heads must be a multiple of kv heads, got ${shapes}`)
  if (queryCount > keyCount)
    throw new ShapeError(`${op}: queries are the newest of the keys' times, so Tq ≤ Tk, got ${shapes}`)
  if (valueDim > MAX_DIM)
    throw new ShapeError(`${op}: vectors may have up to ${MAX_DIM} elements, got ${shapes}`)
  const clockBatch = clock ? checkClock(op, clock, queries, [batch, heads, keyCount]) : 0
  return {
    batch,
    heads,
    kvHeads,
    queries: queryCount,
    keys: keyCount,
    valueDim,
    capacity: keyCount,
    clockBatch,
  }
}

function checkClock(op: string, clock: Tensor, peer: Tensor, full: readonly number[]): number {
  checkDevice(op, peer, clock)
  const expected = clock.rank === 2 ? full.slice(1) : full
  if (clock.rank !== expected.length || clock.shape.some((n, axis) => n !== expected[axis]))
    throw new ShapeError(
      `${op}: clock must be [B, H, Tk] = ${shapeText(full)} or [H, Tk], got ${shapeText(clock.shape)}`,
    )
  return clock.rank === 2 ? 0 : full[1] * full[2]
}

export function checkDim(op: string, name: string, dim: number): void {
  if (dim < 1 || dim > MAX_DIM)
    throw new ShapeError(`${op}: ${name} must have vectors of 1 to ${MAX_DIM} elements, got ${dim}`)
}

/** Keys per span at least: the backward pass cuts the keys into spans so that few heads still feed many threads, and each
 *  span keeps the queries' gradients of its own until they are summed. From shapes only, never from the thread count. */
const SPAN_KEYS = 256
const ENOUGH_ITEMS = 32
const MAX_SPANS = 8

export function spansOf({ batch, kvHeads, keys }: AttentionSizes): number {
  const wanted = Math.ceil(ENOUGH_ITEMS / Math.max(1, batch * kvHeads))
  return Math.max(1, Math.min(MAX_SPANS, wanted, Math.ceil(keys / SPAN_KEYS)))
}

/** Gradients [B, H, Tk] of the clock's readings as the clock's own shape: summed over the batch where it is shared. */
export function clockGrad(dClock: Tensor | undefined, clock: Tensor): Tensor | null {
  if (!dClock) return null
  return clock.rank === 2 ? sum(dClock, [0]) : dClock
}
