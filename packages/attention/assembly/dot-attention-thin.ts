import { exp1, fma, loadNext, loadPart, splat, storeNext } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { KEYS, LIST_BYTES, loadList, scaleRow } from './blocks'
import { hideOld, scoreRow, softmaxRow } from './dot-attention-scores'

/** For at most this many queries, packing keys and values costs more than it saves. */
export const FEW_QUERIES: i32 = 4

/** dotAttention of at most FEW_QUERIES queries, as in decoding. Keys and values are read in place, a block of
 *  KEYS at a time, at the speed of memory. The first query of a head brings the block into the first-level
 *  cache; the others find it there. An item is (b, h). */
export function dotAttentionThin(
  q: usize,
  k: usize,
  v: usize,
  decay: usize,
  decayLow: usize,
  out: usize,
  stats: usize,
  scale: f32,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  valueDim: i32,
  capacity: i32,
  decayBatch: i32,
  window: i32,
  from: i32,
  to: i32,
): void {
  const decayList = workspace()
  const lowList = decayList + LIST_BYTES
  const weights = lowList + LIST_BYTES
  memory.fill(decayList, 0, 2 * LIST_BYTES)

  const row = (<usize>dim) << 2
  const valueRow = (<usize>valueDim) << 2
  const time = keys - queries // of the first query
  for (let item = from; item < to; item++) {
    const kvHead = (item / heads) * kvHeads + (item % heads) / (heads / kvHeads)
    const keyRows = k + (<usize>kvHead) * (<usize>capacity) * row
    const values = v + (<usize>kvHead) * (<usize>capacity) * valueRow
    const reading = ((<usize>(item / heads)) * (<usize>decayBatch) + (<usize>(item % heads)) * (<usize>capacity)) << 2
    const decays = decay ? decay + reading : 0
    const decaysLow = decayLow ? decayLow + reading : 0
    const first = (<usize>item) * (<usize>queries)
    const target = out + first * valueRow
    const stat = stats + (first << 3) // maximum and mass so far of every query

    memory.fill(target, 0, (<usize>queries) * valueRow)
    for (let r = 0; r < queries; r++) {
      store<f32>(stat + ((<usize>r) << 3), -Infinity)
      store<f32>(stat + ((<usize>r) << 3), 0, 4)
    }
    for (let j0 = max(0, time + 1 - window); j0 < keys; j0 += KEYS) {
      const count = min(KEYS, keys - j0)
      if (decays) loadList(decays + ((<usize>j0) << 2), count, decayList)
      if (decaysLow) loadList(decaysLow + ((<usize>j0) << 2), count, lowList)
      for (let r = 0; r < queries; r++) {
        const visible = min(count, time + r + 1 - j0)
        const old = time + r + 1 - window - j0
        if (visible <= max(0, old)) continue
        const at = stat + ((<usize>r) << 3)
        const own = (<usize>(time + r)) << 2
        const now = decays ? load<f32>(decays + own) : 0
        const nowLow = decaysLow ? load<f32>(decaysLow + own) : 0
        const sums = target + (<usize>r) * valueRow
        dotRows(q + (first + <usize>r) * row, keyRows + (<usize>j0) * row, row, visible, weights)
        hideOld(weights, old, visible)
        const before = load<f32>(at)
        const peak = max(before, scoreRow(weights, visible, scale, decays ? decayList : 0, now, lowList, nowLow))
        if (peak != before) {
          const factor = exp1(before - peak)
          store<f32>(at, peak)
          store<f32>(at, factor * load<f32>(at, 4), 4)
          scaleRow(sums, valueDim, factor)
        }
        store<f32>(at, load<f32>(at, 4) + softmaxRow(weights, visible, peak, 1), 4)
        addRows(weights, values + (<usize>j0) * valueRow, valueRow, visible, sums)
      }
    }

    for (let r = 0; r < queries; r++) {
      const at = stat + ((<usize>r) << 3)
      const factor: f32 = 1 / load<f32>(at, 4)
      scaleRow(target + (<usize>r) * valueRow, valueDim, factor)
      store<f32>(at, factor, 4)
    }
  }
}

/** out[j] = x·row_j for the `count` rows from `rows` on. It may write up to three more numbers. Rows are read
 *  one after the other, because the prefetcher follows one long stream better than four short ones. */
function dotRows(x: usize, rows: usize, bytes: usize, count: i32, out: usize): void {
  const last = rows + (<usize>(count - 1)) * bytes
  const vectors = bytes & ~15
  const tail = bytes & 15
  for (; rows <= last; rows += bytes << 2) {
    const row1 = min(rows + bytes, last)
    const row2 = min(rows + bytes * 2, last)
    const row3 = min(rows + bytes * 3, last)
    const a = dotLanes(x, rows, vectors, tail)
    const b = dotLanes(x, row1, vectors, tail)
    const c = dotLanes(x, row2, vectors, tail)
    const d = dotLanes(x, row3, vectors, tail)
    v128.store(out, sumsOf(a, b, c, d))
    out += 16
  }
}

/** x·row as four partial sums. A row has `vectors` bytes in whole vectors and `tail` more bytes. */
// @ts-ignore: decorator
@inline
function dotLanes(x: usize, row: usize, vectors: usize, tail: usize): v128 {
  let a = splat(0)
  let b = a
  let i: usize = 0
  for (; i + 32 <= vectors; i += 32) {
    a = fma(v128.load(x + i), v128.load(row + i), a)
    b = fma(v128.load(x + i, 16), v128.load(row + i, 16), b)
  }
  if (i < vectors) a = fma(v128.load(x + i), v128.load(row + i), a)
  if (tail) b = fma(loadTail(x + vectors, tail), loadTail(row + vectors, tail), b)
  return f32x4.add(a, b)
}

/** The sums over the lanes of four vectors, each as (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  // lanes 0 + 2 and 1 + 3 of a, then of b
  const ab = f32x4.add(i64x2.shuffle(a, b, 0, 2), i64x2.shuffle(a, b, 1, 3))
  const cd = f32x4.add(i64x2.shuffle(c, d, 0, 2), i64x2.shuffle(c, d, 1, 3))
  return f32x4.add(i32x4.shuffle(ab, cd, 0, 2, 4, 6), i32x4.shuffle(ab, cd, 1, 3, 5, 7))
}

/** Loads the end of a row. It reads nothing past the row, because a NaN may lie there. Not inlined. */
function loadTail(row: usize, bytes: usize): v128 {
  return loadPart(row, bytes)
}

/** sums += Σ_j weights[j]·row_j over the `count` rows from `rows` on, in strips of columns that fit the
 *  registers. The block is summed by itself before it is added, so that long contexts keep their digits. */
function addRows(weights: usize, rows: usize, bytes: usize, count: i32, sums: usize): void {
  const end = weights + ((<usize>count) << 2)
  let c: usize = 0
  for (; c + 256 <= bytes; c += 256) addStrip64(weights, end, rows + c, bytes, sums + c)
  for (; c + 64 <= bytes; c += 64) addStrip16(weights, end, rows + c, bytes, sums + c)
  for (; c < bytes; c += 16) addStrip4(weights, end, rows + c, bytes, sums + c, bytes - c)
}

/** Adds 64 columns. Rows of 64 are read whole, in the order of memory. */
function addStrip64(weights: usize, end: usize, row: usize, bytes: usize, sums: usize): void {
  let s0 = splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let s4 = s0
  let s5 = s0
  let s6 = s0
  let s7 = s0
  let s8 = s0
  let s9 = s0
  let s10 = s0
  let s11 = s0
  let s12 = s0
  let s13 = s0
  let s14 = s0
  let s15 = s0
  for (; weights < end; weights += 4) {
    const w = v128.load32_splat(weights)
    s0 = fma(w, v128.load(row), s0)
    s1 = fma(w, v128.load(row, 16), s1)
    s2 = fma(w, v128.load(row, 32), s2)
    s3 = fma(w, v128.load(row, 48), s3)
    s4 = fma(w, v128.load(row, 64), s4)
    s5 = fma(w, v128.load(row, 80), s5)
    s6 = fma(w, v128.load(row, 96), s6)
    s7 = fma(w, v128.load(row, 112), s7)
    s8 = fma(w, v128.load(row, 128), s8)
    s9 = fma(w, v128.load(row, 144), s9)
    s10 = fma(w, v128.load(row, 160), s10)
    s11 = fma(w, v128.load(row, 176), s11)
    s12 = fma(w, v128.load(row, 192), s12)
    s13 = fma(w, v128.load(row, 208), s13)
    s14 = fma(w, v128.load(row, 224), s14)
    s15 = fma(w, v128.load(row, 240), s15)
    row += bytes
  }
  add(sums, s0)
  add(sums + 16, s1)
  add(sums + 32, s2)
  add(sums + 48, s3)
  add(sums + 64, s4)
  add(sums + 80, s5)
  add(sums + 96, s6)
  add(sums + 112, s7)
  add(sums + 128, s8)
  add(sums + 144, s9)
  add(sums + 160, s10)
  add(sums + 176, s11)
  add(sums + 192, s12)
  add(sums + 208, s13)
  add(sums + 224, s14)
  add(sums + 240, s15)
}

/** Adds 16 columns. */
function addStrip16(weights: usize, end: usize, row: usize, bytes: usize, sums: usize): void {
  let s0 = splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  for (; weights < end; weights += 4) {
    const w = v128.load32_splat(weights)
    s0 = fma(w, v128.load(row), s0)
    s1 = fma(w, v128.load(row, 16), s1)
    s2 = fma(w, v128.load(row, 32), s2)
    s3 = fma(w, v128.load(row, 48), s3)
    row += bytes
  }
  add(sums, s0)
  add(sums + 16, s1)
  add(sums + 32, s2)
  add(sums + 48, s3)
}

/** Adds one to four columns, which have `left` bytes. */
function addStrip4(weights: usize, end: usize, row: usize, bytes: usize, sums: usize, left: usize): void {
  let sum = splat(0)
  for (; weights < end; weights += 4) {
    sum = fma(v128.load32_splat(weights), loadNext(row, left), sum)
    row += bytes
  }
  storeNext(sums, f32x4.add(loadNext(sums, left), sum), left)
}

// @ts-ignore: decorator
@inline
function add(sums: usize, v: v128): void {
  v128.store(sums, f32x4.add(v128.load(sums), v))
}
