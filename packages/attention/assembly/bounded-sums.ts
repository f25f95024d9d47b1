import { highF64, lowF64 } from '@tau/tensor/assembly/simd'

// Sums of keys for queries on one side of them. They run in f64, because any number of keys is added to the
// same numbers.
//
// A sum is relative to one of its keys, its leader. It holds the leader's λ and decay reading, then mass and
// values:
//   Σ e^(a_j − a_leader)·[1, v_j], with a_j = slope·λ_j + c_j.
// a_j is the part of the score that does not depend on the query. slope is β = 1 / temperature for queries
// above the keys and −β for queries below them. The first key leads. A later key takes the lead if it exceeds
// the leader by more than LEAD. So mass ≥ 1, no power overflows, and old sums are rarely scaled. Mass 0 means
// that there is no key yet.

/** Bytes of a sum besides its values. */
export const SUM_HEAD: usize = 24
const LAMBDA: usize = 0
const DECAY: usize = 8
const MASS: usize = 16
/** e³² times a thousand million keys is far below the largest f64. */
const LEAD: f64 = 32

// @ts-ignore: decorator
@inline
export function sumBytes(dim: i32): usize {
  return SUM_HEAD + ((<usize>dim) << 3)
}

/** eᵈ for d ≤ 700 with a relative error of 1e-15, and 0 below −700. d = n·ln 2 + f with ln 2 in two parts
 *  (Cody and Waite), then Taylor's series up to f¹³/13!. */
export function expF64(d: f64): f64 {
  if (d < -700) return 0
  const n = nearest(d * 1.4426950408889634)
  const f = d - n * 6.93147180369123816490e-1 - n * 1.90821492927058770002e-10
  let p: f64 = 1.0 / 6227020800
  p = p * f + 1.0 / 479001600
  p = p * f + 1.0 / 39916800
  p = p * f + 1.0 / 3628800
  p = p * f + 1.0 / 362880
  p = p * f + 1.0 / 40320
  p = p * f + 1.0 / 5040
  p = p * f + 1.0 / 720
  p = p * f + 1.0 / 120
  p = p * f + 1.0 / 24
  p = p * f + 1.0 / 6
  p = p * f + 0.5
  return (p * f * f + f + 1) * reinterpret<f64>((<i64>n + 1023) << 52)
}

/** 1 − e^(−x) for x ≥ 0, with a relative error of 1e-13 down to the smallest x. */
export function oneMinusExp(x: f64): f64 {
  if (x > 0.01) return 1 - expF64(-x)
  return x * (1 - (x / 2) * (1 - (x / 3) * (1 - (x / 4) * (1 - x / 5))))
}

// @ts-ignore: decorator
@inline
export function isEmpty(sum: usize): bool {
  return load<f64>(sum, MASS) == 0
}

/** Adds a key with its value vector, `dim` numbers in f32. */
export function addToSum(sum: usize, slope: f64, key: f64, decay: f64, v: usize, dim: i32): void {
  let weight: f64 = 1
  let lead: bool = isEmpty(sum)
  if (!lead) {
    const beyond = slope * (key - load<f64>(sum, LAMBDA)) + (decay - load<f64>(sum, DECAY))
    lead = beyond > LEAD
    if (lead) scaleSum(sum, expF64(-beyond), dim)
    else {
      weight = expF64(beyond)
      if (weight == 0) return
    }
  }
  if (lead) {
    store<f64>(sum, key, LAMBDA)
    store<f64>(sum, decay, DECAY)
  }
  store<f64>(sum, load<f64>(sum, MASS) + weight, MASS)
  const factor = f64x2.splat(weight)
  let at = sum + SUM_HEAD
  let left = dim
  for (; left >= 4; left -= 4) {
    const four = v128.load(v)
    v128.store(at, f64x2.add(v128.load(at), f64x2.mul(factor, lowF64(four))))
    v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(factor, highF64(four))), 16)
    v += 16
    at += 32
  }
  for (; left > 0; left--) {
    store<f64>(at, load<f64>(at) + weight * <f64>load<f32>(v))
    v += 4
    at += 8
  }
}

function scaleSum(sum: usize, factor: f64, dim: i32): void {
  const end = sum + sumBytes(dim)
  for (let at = sum + MASS; at < end; at += 8) store<f64>(at, factor * load<f64>(at))
}

// A query reads a list of sums. Each entry has a factor and a score; the score is the logarithm of the
// leader's weight.
const ENTRY_BYTES: usize = 24
const ENTRY_SCORE: usize = 8
const ENTRY_FACTOR: usize = 16

/** Adds a sum to the list unless the sum is empty. Its weight is factor·e^extra times the weight of its
 *  distance. Returns the new end of the list. */
export function listSum(
  list: usize,
  sum: usize,
  slope: f64,
  query: f64,
  now: f64,
  factor: f64,
  extra: f64,
): usize {
  if (isEmpty(sum)) return list
  store<usize>(list, sum)
  store<f64>(list, slope * (load<f64>(sum, LAMBDA) - query) + (load<f64>(sum, DECAY) - now) + extra, ENTRY_SCORE)
  store<f64>(list, factor, ENTRY_FACTOR)
  return list + ENTRY_BYTES
}

/** Sums with a weight below e^(−NOTHING) of the largest are skipped. With e^LEAD per key it would take 10¹²
 *  keys to notice them. */
const NOTHING: f64 = 100

/** out = Σ weight·values / Σ weight·mass over a list that is not empty. `totals` is scratch for `dim` f64. */
export function readSums(list: usize, end: usize, totals: usize, out: usize, dim: i32): void {
  let top = load<f64>(list, ENTRY_SCORE)
  for (let at = list + ENTRY_BYTES; at < end; at += ENTRY_BYTES) top = max(top, load<f64>(at, ENTRY_SCORE))
  const bytes = (<usize>dim) << 3
  memory.fill(totals, 0, bytes)
  let mass: f64 = 0
  for (; list < end; list += ENTRY_BYTES) {
    const beyond = load<f64>(list, ENTRY_SCORE) - top
    if (beyond < -NOTHING) continue
    const sum = load<usize>(list)
    const weight = load<f64>(list, ENTRY_FACTOR) * expF64(beyond)
    mass += weight * load<f64>(sum, MASS)
    const factor = f64x2.splat(weight)
    const values = sum + SUM_HEAD
    let at: usize = 0
    for (; at + 16 <= bytes; at += 16)
      v128.store(totals + at, f64x2.add(v128.load(totals + at), f64x2.mul(factor, v128.load(values + at))))
    if (at < bytes) store<f64>(totals + at, load<f64>(totals + at) + weight * load<f64>(values + at))
  }
  for (let d = <usize>0; d < <usize>dim; d++)
    store<f32>(out + (d << 2), <f32>(load<f64>(totals + (d << 3)) / mass))
}
