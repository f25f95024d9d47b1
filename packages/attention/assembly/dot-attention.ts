import { exp1, exp4, fma, maxLanes, splat, sumLanes } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import {
  BLOCK_BYTES,
  BLOCK_ROW,
  EDGE_BYTES,
  KEYS,
  lanesBefore,
  LIST_BYTES,
  loadList,
  multiply,
  packLeft,
  packRight,
  panelBytes,
  QUERIES,
  scaleRow,
} from './blocks'

/** Streaming causal softmax attention, out = softmax_j(scale · q·k_j + c_j − c_i)·v; items are (b, h, block of QUERIES queries), the block
 *  fastest. One pass over the keys with a running maximum: when it rises, what a row has summed is rescaled (Milakov and
 *  Gimelshein 2018, Dao et al. 2022). Keys and values have `capacity` rows per head, clock and clockLow as many numbers
 *  (0: none), clockBatch per batch. stats[row] = maximum, 1 / mass. */
export function dotAttention(
  q: usize,
  k: usize,
  v: usize,
  clock: usize,
  clockLow: usize,
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
  clockBatch: i32,
  begin: i32,
  end: i32,
): void {
  const edge = workspace()
  const clockList = edge + EDGE_BYTES
  const lowList = clockList + LIST_BYTES
  const largest = lowList + LIST_BYTES
  const mass = largest + LIST_BYTES
  const block = mass + LIST_BYTES
  const packedWeights = block + BLOCK_BYTES
  const packedValues = packedWeights + panelBytes(QUERIES, KEYS)
  const packedQueries = packedValues + panelBytes(valueDim, KEYS)
  const packedKeys = packedQueries + panelBytes(QUERIES, dim)
  memory.fill(clockList, 0, 2 * LIST_BYTES)

  const blocks = (queries + QUERIES - 1) / QUERIES
  const row = (<usize>dim) << 2
  const valueRow = (<usize>valueDim) << 2
  for (let item = begin; item < end; item++) {
    const head = item / blocks // b·H + h
    const firstQuery = (item % blocks) * QUERIES
    const rows = min(QUERIES, queries - firstQuery)
    const time = firstQuery + keys - queries // of the block's first query
    const kvHead = (head / heads) * kvHeads + (head % heads) / (heads / kvHeads)
    const first = <usize>head * <usize>queries + <usize>firstQuery
    const keyRows = k + (<usize>kvHead) * (<usize>capacity) * row
    const values = v + (<usize>kvHead) * (<usize>capacity) * valueRow
    const reading = ((<usize>(head / heads)) * (<usize>clockBatch) + (<usize>(head % heads)) * (<usize>capacity)) << 2
    const clocks = clock ? clock + reading : 0
    const clocksLow = clockLow ? clockLow + reading : 0
    const target = out + first * valueRow
    const seen = time + rows // keys that the last query sees

    packLeft(q + first * row, row, 4, rows, dim, packedQueries)
    memory.fill(target, 0, (<usize>rows) * valueRow)
    for (let r = 0; r < rows; r++) {
      store<f32>(largest + ((<usize>r) << 2), -Infinity)
      store<f32>(mass + ((<usize>r) << 2), 0)
    }
    for (let j0 = 0; j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      if (clocks) loadList(clocks + ((<usize>j0) << 2), count, clockList)
      if (clocksLow) loadList(clocksLow + ((<usize>j0) << 2), count, lowList)
      packRight(keyRows + (<usize>j0) * row, row, 4, count, dim, packedKeys)
      multiply(packedQueries, packedKeys, block, BLOCK_ROW, rows, (count + 7) & ~7, dim, false, edge)
      for (let r = 0; r < rows; r++) {
        const at = (<usize>r) << 2
        const scores = block + (<usize>r) * BLOCK_ROW
        const visible = min(count, time + r + 1 - j0)
        const own = (<usize>(time + r)) << 2
        const now = clocks ? load<f32>(clocks + own) : 0
        const nowLow = clocksLow ? load<f32>(clocksLow + own) : 0
        const before = load<f32>(largest + at)
        const peak = max(before, scoreRow(scores, visible, scale, clocks ? clockList : 0, now, lowList, nowLow))
        if (peak != before) {
          const factor = exp1(before - peak)
          store<f32>(largest + at, peak)
          store<f32>(mass + at, factor * load<f32>(mass + at))
          scaleRow(target + (<usize>r) * valueRow, valueDim, factor)
        }
        store<f32>(mass + at, load<f32>(mass + at) + softmaxRow(scores, visible, peak, 1))
      }
      packLeft(block, BLOCK_ROW, 4, rows, count, packedWeights)
      packRight(values + (<usize>j0) * valueRow, 4, valueRow, valueDim, count, packedValues)
      multiply(packedWeights, packedValues, target, valueRow, rows, valueDim, count, true, edge)
    }

    let stat = stats + (first << 3)
    for (let r = 0; r < rows; r++) {
      const at = (<usize>r) << 2
      const factor: f32 = 1 / load<f32>(mass + at)
      scaleRow(target + (<usize>r) * valueRow, valueDim, factor)
      store<f32>(stat, load<f32>(largest + at))
      store<f32>(stat, factor, 4)
      stat += 8
    }
  }
}

/** Products become scores, scale·product + c_j − now, for the first `visible` keys; returns the largest, −∞ of none. Those that
 *  are NaN are passed over here and come back in the weights. `clocks` 0: no clock. */
export function scoreRow(
  products: usize,
  visible: i32,
  scale: f32,
  clocks: usize,
  now: f32,
  clocksLow: usize,
  nowLow: f32,
): f32 {
  return clocks
    ? score(true, products, visible, scale, clocks, now, clocksLow, nowLow)
    : score(false, products, visible, scale, clocks, now, clocksLow, nowLow)
}

// @ts-ignore: decorator
@inline
function score(
  clocked: bool,
  products: usize,
  visible: i32,
  scale: f32,
  clocks: usize,
  now: f32,
  clocksLow: usize,
  nowLow: f32,
): f32 {
  let peak = splat(-Infinity)
  for (let left = visible; left > 0; left -= 4) {
    let score = f32x4.mul(splat(scale), v128.load(products))
    if (clocked) {
      const elapsed = f32x4.add(
        f32x4.sub(v128.load(clocks), splat(now)),
        f32x4.sub(v128.load(clocksLow), splat(nowLow)),
      )
      score = fma(splat(scale), v128.load(products), elapsed)
    }
    v128.store(products, score)
    if (left < 4) score = v128.bitselect(score, splat(-Infinity), lanesBefore(left))
    peak = f32x4.pmax(peak, score)
    products += 16
    if (clocked) {
      clocks += 16
      clocksLow += 16
    }
  }
  return maxLanes(peak)
}

/** Scores become weights factor · e^(score − peak) for the first `visible` keys, 0 for the rest of the block's row; returns
 *  their sum. */
export function softmaxRow(scores: usize, visible: i32, peak: f32, factor: f32): f32 {
  const end = scores + BLOCK_ROW
  let sum = splat(0)
  for (let left = visible; left > 0; left -= 4) {
    const exponent = f32x4.sub(v128.load(scores), splat(peak))
    let weight = f32x4.mul(splat(factor), exp4(exponent))
    if (left < 4) weight = v128.and(weight, lanesBefore(left))
    v128.store(scores, weight)
    sum = f32x4.add(sum, weight)
    scores += 16
  }
  for (; scores < end; scores += 16) v128.store(scores, splat(0))
  return sumLanes(sum)
}
