import { exp4, fma, splat, sumLanes } from '@tau/tensor/assembly/simd'
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

/** Bytes of a row's stats: gap and clock reading of the key with the largest score, 1 / mass, mean gap Σ_j p_j·gap_j. Scores relative to
 *  that key are −β(gap_j − gap) + (c_j − clock): differences of close numbers come first, so that a weight is as exact as its
 *  own exponent is small, however large β, the gaps and the clocks are. */
export const STAT_BYTES: usize = 16

/** Looks for the largest score of one query among the first `visible` keys of a block; updates *largest and the row's stats. Scores that are NaN are passed over here and come back in the weights. */
function findPeak(
  query: f32,
  now: f32,
  minusBeta: f32,
  visible: i32,
  keys: usize,
  clocks: usize,
  largest: usize,
  stat: usize,
): void {
  let peak = v128.load32_splat(largest)
  let topGap = v128.load32_splat(stat)
  let topClock = v128.load32_splat(stat, 4)
  for (let left = visible; left > 0; left -= 4) {
    const gap = f32x4.abs(f32x4.sub(splat(query), v128.load(keys)))
    const clock = v128.load(clocks)
    const score = fma(gap, splat(minusBeta), f32x4.sub(clock, splat(now)))
    const better = v128.and(f32x4.gt(score, peak), lanesBefore(left))
    peak = v128.bitselect(score, peak, better)
    topGap = v128.bitselect(gap, topGap, better)
    topClock = v128.bitselect(clock, topClock, better)
    keys += 16
    clocks += 16
  }
  take(f32x4.extract_lane(peak, 0), f32x4.extract_lane(topGap, 0), f32x4.extract_lane(topClock, 0), largest, stat)
  take(f32x4.extract_lane(peak, 1), f32x4.extract_lane(topGap, 1), f32x4.extract_lane(topClock, 1), largest, stat)
  take(f32x4.extract_lane(peak, 2), f32x4.extract_lane(topGap, 2), f32x4.extract_lane(topClock, 2), largest, stat)
  take(f32x4.extract_lane(peak, 3), f32x4.extract_lane(topGap, 3), f32x4.extract_lane(topClock, 3), largest, stat)
}

// @ts-ignore: decorator
@inline
function take(score: f32, gap: f32, clock: f32, largest: usize, stat: usize): void {
  if (!(score > load<f32>(largest))) return
  store<f32>(largest, score)
  store<f32>(stat, gap)
  store<f32>(stat, clock, 4)
}

/** weights[j] = factor · e^(score_j − largest) for j < visible, 0 for the rest of the block's row; returns their sum and, where
 *  `moment` is not 0, adds Σ weight·(gap − top gap) to *moment. */
export function weigh(
  query: f32,
  minusBeta: f32,
  visible: i32,
  keys: usize,
  clocks: usize,
  stat: usize,
  factor: f32,
  weights: usize,
  moment: usize,
): f32 {
  const end = weights + BLOCK_ROW
  const topGap = v128.load32_splat(stat)
  const topClock = v128.load32_splat(stat, 4)
  let sum = splat(0)
  let moments = splat(0)
  for (let left = visible; left > 0; left -= 4) {
    const gap = f32x4.abs(f32x4.sub(splat(query), v128.load(keys)))
    const beyond = f32x4.sub(gap, topGap)
    const exponent = fma(beyond, splat(minusBeta), f32x4.sub(v128.load(clocks), topClock))
    const weight = v128.and(f32x4.mul(splat(factor), exp4(exponent)), lanesBefore(left))
    v128.store(weights, weight)
    sum = f32x4.add(sum, weight)
    moments = fma(weight, beyond, moments)
    keys += 16
    clocks += 16
    weights += 16
  }
  for (; weights < end; weights += 16) v128.store(weights, splat(0))
  if (moment) store<f32>(moment, load<f32>(moment) + sumLanes(moments))
  return sumLanes(sum)
}

/** Streaming λ-distance attention; see lambda-attention.ts for the formula. Items are (b, h, block of QUERIES queries), the
 *  block fastest. Two passes over the keys: the first finds each row's largest score, the second sums
 *  e^(score − largest)·[v, 1], so no row loses its largest weight and nothing is rescaled.
 *  Keys have `capacity` rows per head; clock has `capacity` numbers per head (clock 0: none), clockBatch per batch.
 *  stats[row]: see STAT_BYTES. */
export function lambdaAttention(
  lambdaQ: usize,
  lambdaK: usize,
  v: usize,
  temperature: usize,
  clock: usize,
  out: usize,
  stats: usize,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  capacity: i32,
  clockBatch: i32,
  begin: i32,
  end: i32,
): void {
  const edge = workspace()
  const keyList = edge + EDGE_BYTES
  const clockList = keyList + LIST_BYTES
  const largest = clockList + LIST_BYTES
  const block = largest + LIST_BYTES
  const packedWeights = block + BLOCK_BYTES
  const packedValues = packedWeights + panelBytes(QUERIES, KEYS)
  memory.fill(clockList, 0, LIST_BYTES)

  const blocks = (queries + QUERIES - 1) / QUERIES
  const row = (<usize>dim) << 2
  for (let item = begin; item < end; item++) {
    const head = item / blocks // b·H + h
    const firstQuery = (item % blocks) * QUERIES
    const rows = min(QUERIES, queries - firstQuery)
    const time = firstQuery + keys - queries // of the block's first query
    const h = head % heads
    const kvHead = (head / heads) * kvHeads + h / (heads / kvHeads)
    const minusBeta: f32 = -1 / load<f32>(temperature + ((<usize>h) << 2))
    const q = lambdaQ + ((<usize>head * <usize>queries + <usize>firstQuery) << 2)
    const k = lambdaK + (((<usize>kvHead) * (<usize>capacity)) << 2)
    const values = v + (<usize>kvHead) * (<usize>capacity) * row
    const clocks = clock
      ? clock + (((<usize>(head / heads)) * (<usize>clockBatch) + (<usize>h) * (<usize>capacity)) << 2)
      : 0
    const first = <usize>head * <usize>queries + <usize>firstQuery
    const target = out + first * row
    const stat = stats + first * STAT_BYTES
    const seen = time + rows // keys that the last query sees

    for (let r = 0; r < rows; r++) {
      store<f32>(largest + ((<usize>r) << 2), -Infinity)
      const here = stat + (<usize>r) * STAT_BYTES
      memory.fill(here, 0, STAT_BYTES)
    }
    for (let j0 = 0; j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      loadList(k + ((<usize>j0) << 2), count, keyList)
      if (clocks) loadList(clocks + ((<usize>j0) << 2), count, clockList)
      for (let r = max(0, j0 - time); r < rows; r++) {
        const at = (<usize>r) << 2
        const now = clocks ? load<f32>(clocks + ((<usize>(time + r)) << 2)) : 0
        const visible = min(count, time + r + 1 - j0)
        findPeak(load<f32>(q + at), now, minusBeta, visible, keyList, clockList, largest + at, stat + (<usize>r) * STAT_BYTES)
      }
    }

    memory.fill(target, 0, (<usize>rows) * row)
    for (let j0 = 0; j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      loadList(k + ((<usize>j0) << 2), count, keyList)
      if (clocks) loadList(clocks + ((<usize>j0) << 2), count, clockList)
      for (let r = 0; r < rows; r++) {
        const here = stat + (<usize>r) * STAT_BYTES
        const sum = weigh(
          load<f32>(q + ((<usize>r) << 2)), minusBeta, min(count, time + r + 1 - j0), keyList, clockList, here, 1,
          block + (<usize>r) * BLOCK_ROW, here + 12,
        )
        store<f32>(here, load<f32>(here, 8) + sum, 8)
      }
      packLeft(block, BLOCK_ROW, 4, rows, count, packedWeights)
      packRight(values + (<usize>j0) * row, 4, row, dim, count, packedValues)
      multiply(packedWeights, packedValues, target, row, rows, dim, count, true, edge)
    }

    for (let r = 0; r < rows; r++) {
      const here = stat + (<usize>r) * STAT_BYTES
      const factor: f32 = 1 / load<f32>(here, 8)
      store<f32>(here, factor, 8)
      store<f32>(here, load<f32>(here) + factor * load<f32>(here, 12), 12)
      scaleRow(target + (<usize>r) * row, dim, factor)
    }
  }
}
