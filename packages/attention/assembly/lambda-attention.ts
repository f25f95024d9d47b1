import { exp4, fma, maxLanes, splat, sumLanes } from '@tau/tensor/assembly/simd'
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

/** score_j = c_j − c_i − β|λq_i − λk_j| in four lanes. Both passes and the backward pass use this one expression: the largest
 *  score of a row subtracts from itself to exactly 0. */
// @ts-ignore: decorator
@inline
function score4(gap: v128, minusBeta: v128, clockKeys: v128, clockQuery: v128): v128 {
  return fma(gap, minusBeta, f32x4.sub(clockKeys, clockQuery))
}

// @ts-ignore: decorator
@inline
function minLanes(v: v128): f32 {
  return min(
    min(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    min(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  )
}

/** Raises *largest to the largest score and lowers *nearest to the smallest gap of one query and the first `visible` keys. */
function findPeak(
  query: f32,
  now: f32,
  minusBeta: f32,
  visible: i32,
  keys: usize,
  clocks: usize,
  largest: usize,
  nearest: usize,
): void {
  let peak = v128.load32_splat(largest)
  let near = v128.load32_splat(nearest)
  for (let left = visible; left > 0; left -= 4) {
    const shown = lanesBefore(left)
    const gap = f32x4.abs(f32x4.sub(splat(query), v128.load(keys)))
    const score = score4(gap, splat(minusBeta), v128.load(clocks), splat(now))
    near = f32x4.pmin(near, v128.bitselect(gap, splat(Infinity), shown))
    peak = f32x4.pmax(peak, v128.bitselect(score, splat(-Infinity), shown))
    keys += 16
    clocks += 16
  }
  store<f32>(largest, maxLanes(peak))
  store<f32>(nearest, minLanes(near))
}

/** weights[j] = factor · e^(score_j − peak) for j < visible, 0 for the rest of the block's row; returns their sum. */
export function weigh(
  query: f32,
  now: f32,
  minusBeta: f32,
  visible: i32,
  keys: usize,
  clocks: usize,
  peak: f32,
  factor: f32,
  weights: usize,
): f32 {
  const end = weights + BLOCK_ROW
  let sum = splat(0)
  for (let left = visible; left > 0; left -= 4) {
    const gap = f32x4.abs(f32x4.sub(splat(query), v128.load(keys)))
    const score = score4(gap, splat(minusBeta), v128.load(clocks), splat(now))
    const weight = f32x4.mul(splat(factor), exp4(f32x4.sub(score, splat(peak))))
    const shown = v128.and(weight, lanesBefore(left))
    v128.store(weights, shown)
    sum = f32x4.add(sum, shown)
    keys += 16
    clocks += 16
    weights += 16
  }
  for (; weights < end; weights += 16) v128.store(weights, splat(0))
  return sumLanes(sum)
}

/** Streaming λ-distance attention; see lambda-attention.ts for the formula. Items are (b, h, block of QUERIES queries), the
 *  block fastest. Two passes over the keys: the first finds each row's largest score and nearest gap, the second sums
 *  e^(score − largest)·[v, 1], so no row loses its largest weight and nothing is rescaled.
 *  Keys have `capacity` rows per head; clock has `capacity` numbers per head (clock 0: none), clockBatch per batch.
 *  stats[row] = largest score, 1 / mass, nearest gap. */
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
  const nearest = largest + LIST_BYTES
  const mass = nearest + LIST_BYTES
  const block = mass + LIST_BYTES
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
    const q = lambdaQ + (((<usize>head) * (<usize>queries) + (<usize>firstQuery)) << 2)
    const k = lambdaK + (((<usize>kvHead) * (<usize>capacity)) << 2)
    const values = v + (<usize>kvHead) * (<usize>capacity) * row
    const clocks = clock
      ? clock + (((<usize>(head / heads)) * (<usize>clockBatch) + (<usize>h) * (<usize>capacity)) << 2)
      : 0
    const target = out + ((<usize>head) * (<usize>queries) + (<usize>firstQuery)) * row
    const seen = time + rows // keys that the last query sees

    for (let r = 0; r < rows; r++) {
      store<f32>(largest + ((<usize>r) << 2), -Infinity)
      store<f32>(nearest + ((<usize>r) << 2), Infinity)
      store<f32>(mass + ((<usize>r) << 2), 0)
    }
    for (let j0 = 0; j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      loadList(k + ((<usize>j0) << 2), count, keyList)
      if (clocks) loadList(clocks + ((<usize>j0) << 2), count, clockList)
      for (let r = max(0, j0 - time); r < rows; r++) {
        const at = (<usize>r) << 2
        const now = clocks ? load<f32>(clocks + ((<usize>(time + r)) << 2)) : 0
        const visible = min(count, time + r + 1 - j0)
        findPeak(load<f32>(q + at), now, minusBeta, visible, keyList, clockList, largest + at, nearest + at)
      }
    }

    memory.fill(target, 0, (<usize>rows) * row)
    for (let j0 = 0; j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      loadList(k + ((<usize>j0) << 2), count, keyList)
      if (clocks) loadList(clocks + ((<usize>j0) << 2), count, clockList)
      for (let r = 0; r < rows; r++) {
        const at = (<usize>r) << 2
        const now = clocks ? load<f32>(clocks + ((<usize>(time + r)) << 2)) : 0
        const visible = min(count, time + r + 1 - j0)
        const peak = load<f32>(largest + at)
        const sum = weigh(
          load<f32>(q + at), now, minusBeta, visible, keyList, clockList, peak, 1, block + (<usize>r) * BLOCK_ROW,
        )
        store<f32>(mass + at, load<f32>(mass + at) + sum)
      }
      packLeft(block, BLOCK_ROW, 4, rows, count, packedWeights)
      packRight(values + (<usize>j0) * row, 4, row, dim, count, packedValues)
      multiply(packedWeights, packedValues, target, row, rows, dim, count, true, edge)
    }

    let stat = stats + (((<usize>head) * (<usize>queries) + (<usize>firstQuery)) * 12)
    for (let r = 0; r < rows; r++) {
      const at = (<usize>r) << 2
      const factor: f32 = 1 / load<f32>(mass + at)
      scaleRow(target + (<usize>r) * row, dim, factor)
      store<f32>(stat, load<f32>(largest + at))
      store<f32>(stat, factor, 4)
      store<f32>(stat, load<f32>(nearest + at), 8)
      stat += 12
    }
  }
}
