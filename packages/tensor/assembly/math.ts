import { exp4, expPolynomial, fma, splat } from './simd'

// Elementary functions in four f32 lanes. Errors are relative unless said otherwise, and were measured over all magnitudes.

/** eˣ over the whole range, relative error 1.3e-7: Infinity where it overflows (x > 88.72), 0 below 2^−126. */
// @ts-ignore: decorator
@inline
export function expFull4(x: v128): v128 {
  const bounded = f32x4.pmax(splat(-89), f32x4.pmin(splat(89), x)) // NaN becomes finite and is put back last
  const n = f32x4.nearest(f32x4.mul(bounded, splat(1.44269504)))
  let f = fma(n, splat(-0.693359375), bounded)
  f = fma(n, splat(2.12194440e-4), f)
  // 2^128 is not a number of this format: the last step doubles instead.
  const capped = f32x4.pmin(splat(127), n)
  const doubled = f32x4.mul(expPolynomial(f), f32x4.add(splat(1), f32x4.sub(n, capped)))
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(capped), i32x4.splat(127)), 23)
  const flushed = v128.andnot(f32x4.mul(doubled, power), f32x4.lt(x, splat(-87.33654)))
  return v128.bitselect(flushed, x, f32x4.eq(x, x))
}

/** log(1 + f) + e·ln 2 for √½ − 1 ≤ f ≤ √2 − 1: degree 9, Cephes logf. */
// @ts-ignore: decorator
@inline
function logPolynomial(f: v128, e: v128): v128 {
  const square = f32x4.mul(f, f)
  let p = splat(7.0376836292e-2)
  p = fma(p, f, splat(-1.1514610310e-1))
  p = fma(p, f, splat(1.1676998740e-1))
  p = fma(p, f, splat(-1.2420140846e-1))
  p = fma(p, f, splat(1.4249322787e-1))
  p = fma(p, f, splat(-1.6668057665e-1))
  p = fma(p, f, splat(2.0000714765e-1))
  p = fma(p, f, splat(-2.4999993993e-1))
  p = fma(p, f, splat(3.3333331174e-1))
  let y = f32x4.mul(f32x4.mul(p, f), square)
  y = fma(e, splat(-2.12194440e-4), y)
  y = fma(square, splat(-0.5), y)
  return fma(e, splat(0.693359375), f32x4.add(f, y))
}

/** Natural logarithm, relative error 1.2e-7, subnormals included; −Infinity at ±0, NaN below. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const small = f32x4.lt(x, splat(1.17549435e-38))
  const scaled = v128.bitselect(f32x4.mul(x, splat(33554432)), x, small) // · 2^25
  const bits = i32x4.sub(i32x4.shr_u(scaled, 23), i32x4.splat(126))
  const m = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000)) // [½, 1)
  const below = f32x4.lt(m, splat(0.70710678))
  const exponent = i32x4.sub(i32x4.add(bits, below), v128.and(small, i32x4.splat(25)))
  const f = f32x4.add(f32x4.sub(m, splat(1)), v128.and(m, below))
  const value = logPolynomial(f, f32x4.convert_i32x4_s(exponent))
  const regular = v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, splat(Infinity)))
  const edge = v128.bitselect(
    splat(-Infinity),
    v128.bitselect(x, splat(NaN), f32x4.eq(x, splat(Infinity))),
    f32x4.eq(x, splat(0)),
  )
  return v128.bitselect(value, edge, regular)
}

/** log(1 + u) for 0 ≤ u ≤ 1, relative error 1.2e-7 down to the smallest u. */
// @ts-ignore: decorator
@inline
function log1p4(u: v128): v128 {
  const halve = f32x4.gt(u, splat(0.41421356))
  const f = v128.bitselect(f32x4.mul(f32x4.sub(u, splat(1)), splat(0.5)), u, halve)
  return logPolynomial(f, v128.and(splat(1), halve))
}

/** max(x, 0) + log(1 + e^{−|x|}), relative error 2e-7 where the result is above 2^−126. */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, splat(0)), log1p4(exp4(f32x4.neg(f32x4.abs(x)))))
}

/** 1 / (1 + e^{−x}), relative error 2e-7 for x > −87; smaller x underflow. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), expFull4(f32x4.neg(x))))
}

/** Below this size tanh is a polynomial. */
export const tanhNearLimit: f32 = 0.625

/** tanh below {@link tanhNearLimit}: an odd polynomial of degree 11, Cephes tanhf. */
// @ts-ignore: decorator
@inline
export function tanhNear4(x: v128): v128 {
  const square = f32x4.mul(x, x)
  let p = splat(-5.70498872745e-3)
  p = fma(p, square, splat(2.06390887954e-2))
  p = fma(p, square, splat(-5.37397155531e-2))
  p = fma(p, square, splat(1.33314422036e-1))
  p = fma(p, square, splat(-3.33332819422e-1))
  return fma(f32x4.mul(p, square), x, x)
}

/** tanh, relative error 2e-7: {@link tanhNear4}, and 1 − 2 / (e^{2|x|} + 1) above. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x)
  const e = exp4(f32x4.add(size, size))
  const far = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))))
  const signed = v128.or(far, v128.and(x, splat(-0.0)))
  return v128.bitselect(tanhNear4(x), signed, f32x4.lt(size, splat(tanhNearLimit)))
}

/** Natural logarithm of a positive normal f64 in f64, error 1e-15: x = m·2ᵉ with m in [√½, √2), log m = 2·artanh((m − 1)/(m + 1)).
 *  AssemblyScript's own Math.log keeps a table in static data, which our modules must not have. */
export function logF64(x: f64): f64 {
  const bits = reinterpret<u64>(x)
  let e = <i32>(bits >> 52) - 1023
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000)
  if (m > 1.4142135623730951) {
    m *= 0.5
    e += 1
  }
  const s = (m - 1) / (m + 1)
  const square = s * s
  let sum: f64 = 0
  for (let k = 21; k > 0; k -= 2) sum = sum * square + 1.0 / <f64>k
  return 2 * s * sum + <f64>e * 0.6931471805599453
}
