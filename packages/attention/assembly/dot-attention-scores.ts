// Turns the products of a query with a block of keys into scores, and scores into weights.
import { exp4, fma, maxLanes, splat, sumLanes } from '@tau/tensor/assembly/simd'
import { BLOCK_ROW, KEYS, lanesBefore } from './blocks'

/** The first key of the first block that a query at `time` sees through its window. Blocks begin at the same
 *  keys as without a window. */
export function firstBlock(time: i32, window: i32): i32 {
  const oldest = max(0, time + 1 - window)
  return oldest - (oldest % KEYS)
}

/** Hides the keys of a block that lie before a query's window: the first `old` products become −∞. If that
 *  leaves none of the first `visible` products, the row of weights becomes all zeros, and the result is
 *  false. */
export function hideOld(products: usize, old: i32, visible: i32): bool {
  if (old <= 0) return true
  if (old >= visible) {
    memory.fill(products, 0, BLOCK_ROW)
    return false
  }
  for (let j = 0; j < old; j++) store<f32>(products + ((<usize>j) << 2), -Infinity)
  return true
}

/** Turns the first `visible` products into scores, scale·product + c_j − now. Returns the largest score, or
 *  −∞ if there is none. A NaN is skipped here; it shows up in the weights. `decays` 0: no decay. */
export function scoreRow(
  products: usize,
  visible: i32,
  scale: f32,
  decays: usize,
  now: f32,
  decaysLow: usize,
  nowLow: f32,
): f32 {
  return decays
    ? score(true, products, visible, scale, decays, now, decaysLow, nowLow)
    : score(false, products, visible, scale, decays, now, decaysLow, nowLow)
}

// @ts-ignore: decorator
@inline
function score(
  hasDecay: bool,
  products: usize,
  visible: i32,
  scale: f32,
  decays: usize,
  now: f32,
  decaysLow: usize,
  nowLow: f32,
): f32 {
  let peak = splat(-Infinity)
  for (let left = visible; left > 0; left -= 4) {
    let score = f32x4.mul(splat(scale), v128.load(products))
    if (hasDecay) {
      const elapsed = f32x4.add(
        f32x4.sub(v128.load(decays), splat(now)),
        f32x4.sub(v128.load(decaysLow), splat(nowLow)),
      )
      score = fma(splat(scale), v128.load(products), elapsed)
    }
    v128.store(products, score)
    if (left < 4) score = v128.bitselect(score, splat(-Infinity), lanesBefore(left))
    peak = f32x4.pmax(peak, score)
    products += 16
    if (hasDecay) {
      decays += 16
      decaysLow += 16
    }
  }
  return maxLanes(peak)
}

/** Turns the first `visible` scores into weights factor · e^(score − peak), and the rest of the block's row
 *  into 0. Returns the sum of the weights. */
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
