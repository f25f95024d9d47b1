import { exp4, fma, loadNext, splat, storeNext, sumLanes } from '@tau/tensor/assembly/simd'
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
} from '../blocks'

/** Bytes of a row's stats. The top key of a row is the key with the largest score. The stats are:
 *  - the two values of λ that have the top key's gap, in two parts each: UPPER above the query, LOWER below;
 *  - the top key's decay reading in two parts;
 *  - 1 / mass;
 *  - the mean of gap − the top key's gap;
 *  - the top key's index (i32).
 *  A score relative to the top key's is −β·beyond + (c_j − its reading), where
 *    beyond = gap_j − its gap = max(λk_j − upper, lower − λk_j).
 *  Differences of close numbers are taken first. So a weight is as exact as its own exponent is small,
 *  however large β, the gaps and the decays are. */
export const STAT_BYTES: usize = 36
export const UPPER: usize = 0
export const UPPER_LOW: usize = 4
export const LOWER: usize = 8
export const LOWER_LOW: usize = 12
export const DECAY: usize = 16
export const DECAY_LOW: usize = 20
export const MASS: usize = 24
export const MEAN: usize = 28
export const TOP: usize = 32

/** Looks for the largest score of one query among the first `visible` keys of a block that starts at key
 *  `first`. Updates *largest and the row's top key. Scores leave out terms that are the same for the whole
 *  row. A NaN score is skipped here; it shows up in the weights. `decays` 0: no decay, as in
 *  {@link weigh}. */
function findTop(
  query: f32,
  now: f32,
  minusBeta: f32,
  first: i32,
  visible: i32,
  keys: usize,
  decays: usize,
  decaysLow: usize,
  largest: usize,
  stat: usize,
): void {
  if (decays) scan(true, query, now, minusBeta, first, visible, keys, decays, decaysLow, largest, stat)
  else scan(false, query, now, minusBeta, first, visible, keys, decays, decaysLow, largest, stat)
}

// @ts-ignore: decorator
@inline
function scan(
  hasDecay: bool,
  query: f32,
  now: f32,
  minusBeta: f32,
  first: i32,
  visible: i32,
  keys: usize,
  decays: usize,
  decaysLow: usize,
  largest: usize,
  stat: usize,
): void {
  const at = splat(query)
  const since = splat(now)
  const slope = splat(minusBeta)
  let peak = v128.load32_splat(largest)
  let top = i32x4.splat(0)
  let index = i32x4(0, 1, 2, 3)
  for (let left = visible; left > 0; left -= 4) {
    const gap = f32x4.abs(f32x4.sub(at, v128.load(keys)))
    let score = f32x4.mul(gap, slope)
    if (hasDecay) score = fma(gap, slope, f32x4.add(f32x4.sub(v128.load(decays), since), v128.load(decaysLow)))
    if (left < 4) score = v128.bitselect(score, splat(-Infinity), lanesBefore(left))
    top = v128.bitselect(index, top, f32x4.gt(score, peak))
    peak = f32x4.pmax(peak, score)
    index = i32x4.add(index, i32x4.splat(4))
    keys += 16
    if (hasDecay) {
      decays += 16
      decaysLow += 16
    }
  }
  take(f32x4.extract_lane(peak, 0), first + i32x4.extract_lane(top, 0), largest, stat)
  take(f32x4.extract_lane(peak, 1), first + i32x4.extract_lane(top, 1), largest, stat)
  take(f32x4.extract_lane(peak, 2), first + i32x4.extract_lane(top, 2), largest, stat)
  take(f32x4.extract_lane(peak, 3), first + i32x4.extract_lane(top, 3), largest, stat)
}

// @ts-ignore: decorator
@inline
function take(score: f32, key: i32, largest: usize, stat: usize): void {
  if (!(score > load<f32>(largest))) return
  store<f32>(largest, score)
  store<i32>(stat, key, TOP)
}

/** Fills a row's stats from its top key. 2·query − key is the other λ with the top key's gap. It is kept in
 *  two parts (Knuth's TwoSum). */
function placeTop(stat: usize, query: f32, key: f32, decay: f32, decayLow: f32): void {
  const twice: f32 = query + query
  const mirror: f32 = twice - key
  const back: f32 = mirror - twice
  const rest: f32 = twice - (mirror - back) - (key + back)
  const above = key > query
  store<f32>(stat, above ? key : mirror, UPPER)
  store<f32>(stat, above ? 0 : rest, UPPER_LOW)
  store<f32>(stat, above ? mirror : key, LOWER)
  store<f32>(stat, above ? rest : 0, LOWER_LOW)
  store<f32>(stat, decay, DECAY)
  store<f32>(stat, decayLow, DECAY_LOW)
  store<f32>(stat, 0, MASS)
  store<f32>(stat, 0, MEAN)
}

/** gap − the top key's gap, of four keys. The other vectors hold the row's UPPER … LOWER_LOW. */
// @ts-ignore: decorator
@inline
export function beyondTop(keys: v128, upper: v128, upperLow: v128, lower: v128, lowerLow: v128): v128 {
  const above = f32x4.sub(f32x4.sub(keys, upper), upperLow)
  const below = f32x4.add(f32x4.sub(lower, keys), lowerLow)
  return f32x4.pmax(above, below)
}

/** weights[j] = factor · e^(score_j − largest) for j < visible, and 0 for the rest of the block's row.
 *  Returns their sum. If `moment` is not 0, adds Σ weight·(gap − top gap) to *moment. `decays` 0: no
 *  decay. */
export function weigh(
  minusBeta: f32,
  visible: i32,
  keys: usize,
  decays: usize,
  decaysLow: usize,
  stat: usize,
  factor: f32,
  weights: usize,
  moment: usize,
): f32 {
  return decays
    ? weighRow(true, minusBeta, visible, keys, decays, decaysLow, stat, factor, weights, moment)
    : weighRow(false, minusBeta, visible, keys, decays, decaysLow, stat, factor, weights, moment)
}

// @ts-ignore: decorator
@inline
function weighRow(
  hasDecay: bool,
  minusBeta: f32,
  visible: i32,
  keys: usize,
  decays: usize,
  decaysLow: usize,
  stat: usize,
  factor: f32,
  weights: usize,
  moment: usize,
): f32 {
  const end = weights + BLOCK_ROW
  const upper = v128.load32_splat(stat, UPPER)
  const upperLow = v128.load32_splat(stat, UPPER_LOW)
  const lower = v128.load32_splat(stat, LOWER)
  const lowerLow = v128.load32_splat(stat, LOWER_LOW)
  const topDecay = v128.load32_splat(stat, DECAY)
  const topDecayLow = v128.load32_splat(stat, DECAY_LOW)
  const slope = splat(minusBeta)
  const scale = splat(factor)
  let sum = splat(0)
  let moments = splat(0)
  for (let left = visible; left > 0; left -= 4) {
    const beyond = beyondTop(v128.load(keys), upper, upperLow, lower, lowerLow)
    let exponent = f32x4.mul(beyond, slope)
    if (hasDecay) {
      const low = f32x4.sub(v128.load(decaysLow), topDecayLow)
      exponent = fma(beyond, slope, f32x4.add(f32x4.sub(v128.load(decays), topDecay), low))
    }
    let weight = f32x4.mul(scale, exp4(exponent))
    if (left < 4) weight = v128.and(weight, lanesBefore(left))
    v128.store(weights, weight)
    sum = f32x4.add(sum, weight)
    moments = fma(weight, beyond, moments)
    keys += 16
    if (hasDecay) {
      decays += 16
      decaysLow += 16
    }
    weights += 16
  }
  for (; weights < end; weights += 16) v128.store(weights, splat(0))
  if (moment) store<f32>(moment, load<f32>(moment) + sumLanes(moments))
  return sumLanes(sum)
}

/** Sets the top key's weight, which is 1, to 0. Returns the sum of the other weights of its block. */
function withoutTop(weights: usize, key: i32): f32 {
  store<f32>(weights + ((<usize>key) << 2), 0)
  let s0 = splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  for (let p = weights; p < weights + BLOCK_ROW; p += 64) {
    s0 = f32x4.add(s0, v128.load(p))
    s1 = f32x4.add(s1, v128.load(p, 16))
    s2 = f32x4.add(s2, v128.load(p, 32))
    s3 = f32x4.add(s3, v128.load(p, 48))
  }
  return sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
}

/** λ-distance attention over all pairs in blocks; the formula is in docs/definition.md, section 3. An item is
 *  (b, h, block of QUERIES queries); the block runs fastest. It passes over the keys twice. The first pass
 *  finds each row's top key. The second one sums e^(score − largest)·[v, 1] over all other keys. So no row
 *  loses its largest weight, and nothing is rescaled. If the top key has more than half of the weight,
 *  rest = out − v_top = Σ p_j (v_j − v_top). It keeps its digits even if that weight is almost 1.
 *  Otherwise rest = out. rest 0: not wanted. Keys, decay and decayLow have `capacity` rows per head.
 *  decayBatch is the number of readings per batch entry. decay or decayLow 0: there is none. stats[row]: see
 *  STAT_BYTES. */
export function lambdaAttention(
  lambdaQ: usize,
  lambdaK: usize,
  v: usize,
  temperature: usize,
  decay: usize,
  decayLow: usize,
  out: usize,
  rest: usize,
  stats: usize,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  capacity: i32,
  decayBatch: i32,
  begin: i32,
  end: i32,
): void {
  const edge = workspace()
  const keyList = edge + EDGE_BYTES
  const decayList = keyList + LIST_BYTES
  const lowList = decayList + LIST_BYTES
  const largest = lowList + LIST_BYTES
  const block = largest + LIST_BYTES
  const packedWeights = block + BLOCK_BYTES
  const packedValues = packedWeights + panelBytes(QUERIES, KEYS)
  memory.fill(decayList, 0, 2 * LIST_BYTES)

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
    const reading = ((<usize>(head / heads)) * (<usize>decayBatch) + (<usize>h) * (<usize>capacity)) << 2
    const decays = decay ? decay + reading : 0
    const decaysLow = decayLow ? decayLow + reading : 0
    const first = <usize>head * <usize>queries + <usize>firstQuery
    const target = out + first * row
    const rests = rest ? rest + first * row : 0
    const stat = stats + first * STAT_BYTES
    const seen = time + rows // keys that the last query sees

    for (let r = 0; r < rows; r++) {
      store<f32>(largest + ((<usize>r) << 2), -Infinity)
      store<i32>(stat + (<usize>r) * STAT_BYTES, 0, TOP)
    }
    for (let j0 = 0; j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      loadList(k + ((<usize>j0) << 2), count, keyList)
      if (decays) loadList(decays + ((<usize>j0) << 2), count, decayList)
      if (decaysLow) loadList(decaysLow + ((<usize>j0) << 2), count, lowList)
      for (let r = max(0, j0 - time); r < rows; r++) {
        const at = (<usize>r) << 2
        const now = decays ? load<f32>(decays + ((<usize>(time + r)) << 2)) : 0
        const visible = min(count, time + r + 1 - j0)
        findTop(
          load<f32>(q + at), now, minusBeta, j0, visible, keyList, decays ? decayList : 0, lowList, largest + at,
          stat + (<usize>r) * STAT_BYTES,
        )
      }
    }
    for (let r = 0; r < rows; r++) {
      const here = stat + (<usize>r) * STAT_BYTES
      const top = (<usize>load<i32>(here, TOP)) << 2
      const time = decays ? load<f32>(decays + top) : 0
      const timeLow = decaysLow ? load<f32>(decaysLow + top) : 0
      placeTop(here, load<f32>(q + ((<usize>r) << 2)), load<f32>(k + top), time, timeLow)
    }

    memory.fill(target, 0, (<usize>rows) * row)
    for (let j0 = 0; j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      loadList(k + ((<usize>j0) << 2), count, keyList)
      if (decays) loadList(decays + ((<usize>j0) << 2), count, decayList)
      if (decaysLow) loadList(decaysLow + ((<usize>j0) << 2), count, lowList)
      for (let r = 0; r < rows; r++) {
        const here = stat + (<usize>r) * STAT_BYTES
        const weights = block + (<usize>r) * BLOCK_ROW
        const visible = min(count, time + r + 1 - j0)
        let sum = weigh(
          minusBeta, visible, keyList, decays ? decayList : 0, lowList, here, 1, weights, here + MEAN,
        )
        const top = load<i32>(here, TOP) - j0
        if (top >= 0 && top < visible && sum == sum) sum = withoutTop(weights, top)
        store<f32>(here, load<f32>(here, MASS) + sum, MASS)
      }
      packLeft(block, BLOCK_ROW, 4, rows, count, packedWeights)
      packRight(values + (<usize>j0) * row, 4, row, dim, count, packedValues)
      multiply(packedWeights, packedValues, target, row, rows, dim, count, true, edge)
    }

    for (let r = 0; r < rows; r++) {
      const here = stat + (<usize>r) * STAT_BYTES
      const others = load<f32>(here, MASS)
      const factor: f32 = 1 / (1 + others)
      store<f32>(here, factor, MASS)
      store<f32>(here, factor * load<f32>(here, MEAN), MEAN)
      const at = (<usize>r) * row
      addTop(target + at, values + (<usize>load<i32>(here, TOP)) * row, row, others, factor, rests ? rests + at : 0)
    }
  }
}

/** Whether the top key has more than half of a row's weight; `factor` is 1 / mass. Then its value is the
 *  row's centre; otherwise the centre is 0. */
// @ts-ignore: decorator
@inline
export function dominates(factor: f32): bool {
  return factor > 0.5
}

/** Finishes a row. *out holds Σ w v over all keys but the top one. Then *out = factor (*out + v_top), and
 *  rest = *out − centre. If the top key dominates, rest = factor (*out − others·v_top) is computed first, and
 *  *out = v_top + rest. */
function addTop(out: usize, top: usize, bytes: usize, others: f32, factor: f32, rest: usize): void {
  const centred = dominates(factor)
  const share = splat(centred ? -others : 1)
  const centre = i32x4.splat(centred ? -1 : 0)
  const scale = splat(factor)
  for (let c: usize = 0; c < bytes; c += 16) {
    const value = loadNext(top + c, bytes - c)
    const sum = f32x4.add(loadNext(out + c, bytes - c), f32x4.mul(share, value))
    const part = f32x4.mul(scale, sum)
    if (rest) storeNext(rest + c, part, bytes - c)
    storeNext(out + c, f32x4.add(part, v128.and(value, centre)), bytes - c)
  }
}
