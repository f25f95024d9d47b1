import { add, concat, type Device, ShapeError, shapeText, sum, type Tensor, zeros } from '@tau/tensor'
import { checkDevice, type Handle } from '@tau/tensor/kernel'
import { decayParts, type LogDecay } from './decay/decay.ts'

/** Sizes that both attentions share. Queries are at the last `queries` of `keys` times. */
export interface AttentionSizes {
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly queries: number
  readonly keys: number
  /** Length of a value vector. */
  readonly valueDim: number
  /** Rows of keys and values that are stored per head, at least `keys`. A cache stores more rows, to grow
   *  into. */
  readonly capacity: number
  /** Elements from the decay of one batch entry to that of the next. 0: all entries share one decay. */
  readonly decayBatch: number
}

/** Longest vectors. A thread's scratch must hold the packed blocks. */
const MAX_DIM = 2048

/** Checks the inputs that both attentions have in common. Shapes are [B, H, Tq, …] for queries,
 *  [B, Hkv, Tk, …] for keys, [B, Hkv, Tk, Dv] for v, and [B, H, Tk] or [H, Tk] for logDecay. */
export function attentionSizes(
  op: string,
  queries: Tensor,
  keys: Tensor,
  v: Tensor,
  logDecay: Tensor | LogDecay | undefined,
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
    throw new ShapeError(
      `${op}: Tq must be at most Tk, because queries are the newest positions, got ${shapes}`,
    )
  checkDim(op, 'v', valueDim)
  const decayBatch = logDecay ? checkDecay(op, logDecay, queries, [batch, heads, keyCount]) : 0
  return {
    batch,
    heads,
    kvHeads,
    queries: queryCount,
    keys: keyCount,
    valueDim,
    capacity: keyCount,
    decayBatch,
  }
}

function checkDecay(op: string, logDecay: Tensor | LogDecay, peer: Tensor, full: readonly number[]): number {
  const { high, low } = decayParts(logDecay)
  checkDevice(op, peer, high, ...(low ? [low] : []))
  const expected = high.rank === 2 ? full.slice(1) : full
  for (const { rank, shape } of low ? [high, low] : [high])
    if (rank !== expected.length || shape.some((n, axis) => n !== expected[axis]))
      throw new ShapeError(
        `${op}: logDecay must be [B, H, Tk] = ${shapeText(full)} or [H, Tk], got ${shapeText(high.shape)}${low ? ` and a low part of ${shapeText(low.shape)}` : ''}`,
      )
  return high.rank === 2 ? 0 : full[1] * full[2]
}

/** Buffers of decay readings. `low` is undefined if a single tensor was given. */
export interface DecayBuffers {
  readonly high: Handle
  readonly low: Handle | undefined
}

export function decayBuffers(logDecay: Tensor | LogDecay | undefined): DecayBuffers | undefined {
  if (!logDecay) return undefined
  const { high, low } = decayParts(logDecay)
  return { high: high.handle, low: low?.handle }
}

export function checkDim(op: string, name: string, dim: number): void {
  if (dim < 1 || dim > MAX_DIM)
    throw new ShapeError(`${op}: ${name} must have vectors of 1 to ${MAX_DIM} elements, got ${dim}`)
}

/** Least keys per span. The backward pass cuts the keys into spans, so that a few heads still occupy many
 *  threads. Each span has its own sum of the queries' gradients; these are added at the end. The cut depends
 *  on shapes only, never on the number of threads, because results must have the same bits on any number. */
const SPAN_KEYS = 256
const ENOUGH_ITEMS = 32
const MAX_SPANS = 8

export function spansOf({ batch, kvHeads, keys }: AttentionSizes): number {
  const wanted = Math.ceil(ENOUGH_ITEMS / Math.max(1, batch * kvHeads))
  return Math.max(1, Math.min(MAX_SPANS, wanted, Math.ceil(keys / SPAN_KEYS)))
}

/** What the backward kernels compute for a decay: dLogDecay [B, H, Tk] = Σ_i ds_ij per key, and dNow
 *  [B, H, spans, Tq] = −Σ_j ds_ij per query and span of keys. The sum of dNow over the spans is 0 but for
 *  rounding. It is added because then the rounding errors of a row cancel along time. */
export interface DecayGrads {
  readonly dLogDecay: Tensor
  readonly dNow: Tensor
}

/** The buffers of {@link DecayGrads}. */
export interface DecayHandles {
  readonly dLogDecay: Handle
  readonly dNow: Handle
}

export const decayHandles = (grads: DecayGrads | undefined): DecayHandles | undefined =>
  grads && { dLogDecay: grads.dLogDecay.handle, dNow: grads.dNow.handle }

export function emptyDecayGrads(device: Device, sizes: AttentionSizes, spans: number): DecayGrads {
  const { batch, heads, queries, keys } = sizes
  return {
    dLogDecay: device.empty([batch, heads, keys]),
    dNow: device.empty([batch, heads, spans, queries]),
  }
}

/** The gradient of the decay in the shape of its high part, which gets all of it. A shared decay gets the sum
 *  over the batch. */
export function decayGrad(
  grads: DecayGrads | undefined,
  logDecay: Tensor,
  sizes: AttentionSizes,
): Tensor | null {
  if (!grads) return null
  const { batch, heads, queries, keys } = sizes
  const now = sum(grads.dNow, [2])
  const padded =
    queries === keys ? now : concat([zeros(logDecay.device, [batch, heads, keys - queries]), now], 2)
  const total = add(grads.dLogDecay, padded)
  return logDecay.rank === 2 ? sum(total, [0]) : total
}
