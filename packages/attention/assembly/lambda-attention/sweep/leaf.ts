import { exp4, fma, highF64, lowF64, splat, sumLanes, sumLanesF64 } from '@tau/tensor/assembly/simd'
import { addToColumn, COLUMN_BYTES } from './columns'
import { bestOf, decayAt, Head, keyAt, keyDecay, queryAt } from './head'
import { ENTRY_BYTES, rankSort } from './order'
import { ABOVE, addToRow, BELOW, EQUAL, fmaF64, ROW_BYTES } from './rows'

/** The most times in a leaf. */
export const MAX_LEAF: i32 = 64
// Offsets in the scratch of a leaf: keys, decay readings and scores in f64, weights in f32.
const KEYS: usize = 0
const DECAYS: usize = 512
const SCORES: usize = 1024
const WEIGHTS: usize = 1536
/** A query's gradient in f64. */
const GRAD: usize = 2048

/** Sorts the keys and queries of [from, to). */
export function sortLeaf(head: Head, from: i32, to: i32, scratch: usize): void {
  const count = to - from
  memory.copy(scratch, head.lambdaK + ((<usize>from) << 2), (<usize>count) << 2)
  rankSort(scratch, count, from, head.keyOrder + (<usize>from) * ENTRY_BYTES)
  if (head.decay) for (let j = from; j < to; j++) store<f64>(head.decays + ((<usize>j) << 3), decayAt(head, j))
  const first = max(from, head.firstQuery)
  if (first >= to) return
  memory.copy(scratch, head.lambdaQ + ((<usize>first) << 2), (<usize>(to - first)) << 2)
  rankSort(scratch, to - first, first, head.queryOrder + (<usize>first) * ENTRY_BYTES)
}

/** Loads the keys and decay readings of a leaf as f64, for {@link weigh}. */
export function loadLeaf(head: Head, from: i32, to: i32, scratch: usize): void {
  const keys = scratch + KEYS
  const decays = scratch + DECAYS
  for (let j = from; j < to; j++) {
    const at = (<usize>(j - from)) << 3
    store<f64>(keys + at, keyAt(head, j))
    store<f64>(decays + at, head.decay ? keyDecay(head, j) : 0)
  }
}

/** Computes the weights e^(score_j − best) of one query over the first `count` keys of the leaf. They go to
 *  WEIGHTS, padded with zeros to a multiple of four. Returns the best score. If `known`, `best` gives it. */
// @ts-ignore: decorator
@inline
function weigh(head: Head, x: f64, count: i32, known: bool, best: f64, scratch: usize): f64 {
  const here = f64x2.splat(x)
  const slope = f64x2.splat(-head.beta)
  const padded = (count + 3) & ~3
  const scores = scratch + SCORES
  for (let j: usize = 0; j < (<usize>count) << 3; j += 16) {
    const gap = f64x2.abs(f64x2.sub(here, v128.load(scratch + KEYS + j)))
    v128.store(scores + j, f64x2.add(f64x2.mul(gap, slope), v128.load(scratch + DECAYS + j)))
  }
  for (let j = count; j < padded; j++) store<f64>(scores + ((<usize>j) << 3), -Infinity)
  if (!known) {
    let most = f64x2.splat(-Infinity)
    for (let j: usize = 0; j < (<usize>padded) << 3; j += 16) most = f64x2.max(most, v128.load(scores + j))
    best = max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1))
  }
  const top = f64x2.splat(best)
  for (let j: usize = 0; j < (<usize>padded) << 2; j += 16) {
    const low = f32x4.demote_f64x2_zero(f64x2.sub(v128.load(scores + 2 * j), top))
    const high = f32x4.demote_f64x2_zero(f64x2.sub(v128.load(scores + 2 * j, 16), top))
    v128.store(scratch + WEIGHTS + j, exp4(i64x2.shuffle(low, high, 0, 2)))
  }
  return best
}

/** Sums over the pairs within one leaf. They are the first sums of every query of [from, to). */
export function forwardLeaf(head: Head, from: i32, to: i32, scratch: usize): void {
  const bytes = head.bytes
  const weights = scratch + WEIGHTS
  loadLeaf(head, from, to, scratch)
  for (let query = max(from, head.firstQuery); query < to; query++) {
    const best = weigh(head, queryAt(head, query), query + 1 - from, false, 0, scratch)
    store<f64>(head.best + ((<usize>query) << 3), best)
    const count = (<usize>(query + 1 - from)) << 2
    let sums = splat(0)
    for (let j: usize = 0; j < count; j += 16) sums = f32x4.add(sums, v128.load(weights + j))
    store<f32>(head.mass + ((<usize>query) << 2), sumLanes(sums))
    const row = head.out + (<usize>query) * bytes
    const values = head.values + (<usize>from) * bytes
    let c: usize = 0
    for (; c + 128 <= bytes; c += 128) addBlock(weights, count, values + c, bytes, row + c)
    for (; c < bytes; c += 16) addVector(weights, count, values + c, bytes, row + c)
  }
}

/** Sums over the pairs within one leaf, for rows.ts. They are the first sums of every query. */
export function rowsLeaf(head: Head, from: i32, to: i32, scratch: usize): void {
  loadLeaf(head, from, to, scratch)
  for (let query = max(from, head.firstQuery); query < to; query++) {
    const x = queryAt(head, query)
    const row = head.rowSums + (<usize>query) * ROW_BYTES
    memory.fill(row, 0, ROW_BYTES)
    weigh(head, x, query + 1 - from, true, bestOf(head, query), scratch)
    loadGrad(head, query, scratch)
    for (let key = from; key <= query; key++) {
      const weight = <f64>load<f32>(scratch + WEIGHTS + ((<usize>(key - from)) << 2))
      const k = load<f64>(scratch + KEYS + ((<usize>(key - from)) << 3))
      addToRow(head, query, k < x ? BELOW : k > x ? ABOVE : EQUAL, weight * dot(head, key, scratch), weight)
    }
  }
}

/** Sums over the pairs within one leaf, for columns.ts. They are the first sums of every key. */
export function columnsLeaf(head: Head, from: i32, to: i32, scratch: usize): void {
  const bytes = head.bytes
  memory.fill(head.dValues + (<usize>from) * bytes, 0, (<usize>(to - from)) * bytes)
  memory.fill(head.keySums + (<usize>from) * COLUMN_BYTES, 0, (<usize>(to - from)) * COLUMN_BYTES)
  loadLeaf(head, from, to, scratch)
  for (let query = max(from, head.firstQuery); query < to; query++) {
    const x = queryAt(head, query)
    const row = head.rowSums + (<usize>query) * ROW_BYTES
    const share = load<f64>(row)
    const mean = load<f64>(row, 8)
    weigh(head, x, query + 1 - from, true, bestOf(head, query), scratch)
    loadGrad(head, query, scratch)
    for (let key = from; key <= query; key++) {
      const weight = share * <f64>load<f32>(scratch + WEIGHTS + ((<usize>(key - from)) << 2))
      const k = load<f64>(scratch + KEYS + ((<usize>(key - from)) << 3))
      const sign: f64 = k < x ? 1 : k > x ? -1 : 0
      addToColumn(head, key, sign, weight * (dot(head, key, scratch) - mean))
      const target = head.dValues + (<usize>key) * bytes
      const grad = head.grads + (<usize>query) * bytes
      const factor = splat(<f32>weight)
      for (let c: usize = 0; c < bytes; c += 16)
        v128.store(target + c, fma(factor, v128.load(grad + c), v128.load(target + c)))
    }
  }
}

function loadGrad(head: Head, query: i32, scratch: usize): void {
  const row = head.grads + (<usize>query) * head.bytes
  for (let c: usize = 0; c < head.bytes; c += 16) {
    const grad = v128.load(row + c)
    v128.store(scratch + GRAD + 2 * c, lowF64(grad))
    v128.store(scratch + GRAD + 2 * c, highF64(grad), 16)
  }
}

/** The dot product of a key's value and the gradient in scratch, in f64. */
function dot(head: Head, key: i32, scratch: usize): f64 {
  const row = head.values + (<usize>key) * head.bytes
  let even = f64x2.splat(0)
  let odd = even
  for (let c: usize = 0; c < head.bytes; c += 16) {
    const value = v128.load(row + c)
    even = fmaF64(lowF64(value), v128.load(scratch + GRAD + 2 * c), even)
    odd = fmaF64(highF64(value), v128.load(scratch + GRAD + 2 * c, 16), odd)
  }
  return sumLanesF64(f64x2.add(even, odd))
}

/** row = Σ_j weights_j values_j over 32 columns. */
function addBlock(weights: usize, count: usize, values: usize, bytes: usize, row: usize): void {
  let s0 = splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let s4 = s0
  let s5 = s0
  let s6 = s0
  let s7 = s0
  for (let j: usize = 0; j < count; j += 4) {
    const w = v128.load32_splat(weights + j)
    s0 = fma(w, v128.load(values), s0)
    s1 = fma(w, v128.load(values, 16), s1)
    s2 = fma(w, v128.load(values, 32), s2)
    s3 = fma(w, v128.load(values, 48), s3)
    s4 = fma(w, v128.load(values, 64), s4)
    s5 = fma(w, v128.load(values, 80), s5)
    s6 = fma(w, v128.load(values, 96), s6)
    s7 = fma(w, v128.load(values, 112), s7)
    values += bytes
  }
  v128.store(row, s0)
  v128.store(row, s1, 16)
  v128.store(row, s2, 32)
  v128.store(row, s3, 48)
  v128.store(row, s4, 64)
  v128.store(row, s5, 80)
  v128.store(row, s6, 96)
  v128.store(row, s7, 112)
}

function addVector(weights: usize, count: usize, values: usize, bytes: usize, row: usize): void {
  let s = splat(0)
  for (let j: usize = 0; j < count; j += 4) {
    s = fma(v128.load32_splat(weights + j), v128.load(values), s)
    values += bytes
  }
  v128.store(row, s)
}
