import { Constant, constant } from './constants'

// Building blocks of the SIMD kernels, with four f32 lanes unless stated otherwise.

/** a·b + c: one rounding in the relaxed build, two in the plain one. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  return isDefined(RELAXED) ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x)
}

/** Lanes added as (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pair = f32x4.add(v, i64x2.shuffle(v, v, 1, 0))
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1)
}

// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  )
}

/** (eᶠ − 1 − f) / f² for |f| ≤ ln 2 / 2: degree 5, Cephes expf. */
// @ts-ignore: decorator
@inline
export function expPolynomial(f: v128): v128 {
  let p = fma(constant(Constant.exp5), f, constant(Constant.exp4))
  p = fma(p, f, constant(Constant.exp3))
  p = fma(p, f, constant(Constant.exp2))
  p = fma(p, f, constant(Constant.exp1))
  return fma(p, f, constant(Constant.exp0))
}

/** x − n·ln 2 for a whole number n of up to 8 bits, with ln 2 in two parts (Cody and Waite). */
// @ts-ignore: decorator
@inline
export function expRest(x: v128, n: v128): v128 {
  return fma(n, constant(Constant.minusLn2Low), fma(n, constant(Constant.minusLn2High), x))
}

/** eˣ in four lanes, relative error 1.2e-7: x = n·ln 2 + f, then a polynomial of degree 7. Infinity if it
 *  overflows (x > 88.72), 0 below 2^−126; NaN stays NaN.
 *  It costs about 20 vector instructions and 14 loads of constants for four numbers (eight in the wide
 *  build). This limits the speed of the kernels that use it, given here against a copy: exp 0.55; sigmoid,
 *  silu, tanh and softcap 0.38 to 0.5; softmax, which passes its row three times, 0.35; cross-entropy
 *  backward 0.41 to 0.48. Cross-entropy forward writes nothing and runs at 0.25 of reading. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const bounded = f32x4.pmin(x, constant(Constant.expMax))
  const shifted = fma(bounded, constant(Constant.log2E), constant(Constant.round)) // n is in the lowest bits
  const f = expRest(bounded, f32x4.sub(shifted, constant(Constant.round)))
  const power = fma(expPolynomial(f), f32x4.mul(f, f), f32x4.add(f, constant(Constant.one)))
  // Adds n to the exponent. Values that overflow become larger words.
  const scaled = i32x4.add(power, i32x4.shl(shifted, 23))
  const result = i32x4.min_s(scaled, constant(Constant.infinity))
  const flushed = v128.andnot(result, f32x4.lt(x, constant(Constant.expMin)))
  return v128.or(flushed, f32x4.ne(x, x))
}

/** eˣ of one number, the same bits as a lane of {@link exp4}. */
// @ts-ignore: decorator
@inline
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0)
}

/** The first `bytes` bytes at p as a vector; bytes < 16 and a multiple of 4. The other lanes are 0. Reads
 *  nothing beyond. */
// @ts-ignore: decorator
@inline
export function loadPart(p: usize, bytes: usize): v128 {
  if (bytes == 4) return v128.load32_zero(p)
  const v = v128.load64_zero(p)
  return bytes == 8 ? v : v128.load32_lane(p, v, 2, 8)
}

/** Stores the first `bytes` bytes of a vector, as {@link loadPart} loads them. Writes nothing beyond. */
// @ts-ignore: decorator
@inline
export function storePart(p: usize, v: v128, bytes: usize): void {
  if (bytes == 4) {
    v128.store32_lane(p, v, 0)
    return
  }
  v128.store64_lane(p, v, 0)
  if (bytes > 8) v128.store32_lane(p, v, 2, 8)
}

/** The next vector of a run with `left` bytes to go, whole or partial. So one loop body serves the body and
 *  the tail of a run. */
// @ts-ignore: decorator
@inline
export function loadNext(p: usize, left: usize): v128 {
  return left >= 16 ? v128.load(p) : loadPart(p, left)
}

// @ts-ignore: decorator
@inline
export function storeNext(p: usize, v: v128, left: usize): void {
  if (left >= 16) v128.store(p, v)
  else storePart(p, v, left)
}

/** c − a·b, rounded like {@link fma}. */
// @ts-ignore: decorator
@inline
export function fnma(a: v128, b: v128, c: v128): v128 {
  return isDefined(RELAXED) ? f32x4.relaxed_nmadd(a, b, c) : f32x4.sub(c, f32x4.mul(a, b))
}

/** Two f32 at p as f64. From memory the conversion needs no shuffle; the processor does one shuffle per
 *  cycle. */
// @ts-ignore: decorator
@inline
export function loadF64(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(p))
}

/** Lanes 0 and 1 as f64. */
// @ts-ignore: decorator
@inline
export function lowF64(v: v128): v128 {
  return f64x2.promote_low_f32x4(v)
}

/** Lanes 2 and 3 as f64. */
// @ts-ignore: decorator
@inline
export function highF64(v: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 0))
}

// @ts-ignore: decorator
@inline
export function sumLanesF64(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
}
