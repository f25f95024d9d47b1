import { Constant, constant } from './constants'
import { exp4, expPolynomial, expRest, fma, splat } from './simd'

// Elementary functions in four f32 lanes. Errors are relative unless stated otherwise, and were measured over
// all magnitudes.

/** log(1 + f) + e·ln 2 for √½ − 1 ≤ f ≤ √2 − 1: degree 9, Cephes logf. */
// @ts-ignore: decorator
@inline
function logPolynomial(f: v128, e: v128): v128 {
  const square = f32x4.mul(f, f)
  let p = fma(constant(Constant.log8), f, constant(Constant.log7))
  p = fma(p, f, constant(Constant.log6))
  p = fma(p, f, constant(Constant.log5))
  p = fma(p, f, constant(Constant.log4))
  p = fma(p, f, constant(Constant.log3))
  p = fma(p, f, constant(Constant.log2))
  p = fma(p, f, constant(Constant.log1))
  p = fma(p, f, constant(Constant.log0))
  let y = f32x4.mul(f32x4.mul(p, f), square)
  y = fma(e, constant(Constant.ln2Low), y)
  y = fma(square, constant(Constant.minusHalf), y)
  return fma(e, constant(Constant.ln2High), f32x4.add(f, y))
}

/** Natural logarithm, relative error 1.2e-7, subnormals included; −Infinity at ±0, NaN for negative x. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const small = f32x4.lt(x, constant(Constant.smallestNormal))
  const scaled = v128.bitselect(f32x4.mul(x, constant(Constant.twoTo25)), x, small)
  const bits = i32x4.sub(i32x4.shr_u(scaled, 23), i32x4.splat(126))
  const m = v128.or(v128.and(scaled, constant(Constant.mantissa)), constant(Constant.half)) // [½, 1)
  const below = f32x4.lt(m, constant(Constant.halfSqrt2))
  const exponent = i32x4.sub(i32x4.add(bits, below), v128.and(small, i32x4.splat(25)))
  const f = f32x4.add(f32x4.sub(m, constant(Constant.one)), v128.and(m, below))
  const value = logPolynomial(f, f32x4.convert_i32x4_s(exponent))
  const regular = v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, constant(Constant.infinity)))
  const edge = v128.bitselect(
    splat(-Infinity),
    v128.bitselect(x, splat(NaN), f32x4.eq(x, constant(Constant.infinity))),
    f32x4.eq(x, splat(0)),
  )
  return v128.bitselect(value, edge, regular)
}

/** log(1 + u) for 0 ≤ u ≤ 1, relative error 1.2e-7 down to the smallest u. */
// @ts-ignore: decorator
@inline
function log1p4(u: v128): v128 {
  const halve = f32x4.gt(u, constant(Constant.sqrt2Minus1))
  const f = v128.bitselect(f32x4.mul(f32x4.sub(u, constant(Constant.one)), constant(Constant.half)), u, halve)
  return logPolynomial(f, v128.and(constant(Constant.one), halve))
}

/** max(x, 0) + log(1 + e^{−|x|}), relative error 2e-7 if the result is above 2^−126. */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, splat(0)), log1p4(exp4(f32x4.neg(f32x4.abs(x)))))
}

/** 1 / (1 + e^{−x}), relative error 2e-7 for x > −87; smaller x underflow. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(constant(Constant.one), f32x4.add(constant(Constant.one), exp4(f32x4.neg(x))))
}

/** 1 / cap, or the largest number if that is infinite, so that 0 / cap stays 0. */
// @ts-ignore: decorator
@inline
export function inverse(cap: f32): f32 {
  return min<f32>(1 / cap, f32.MAX_VALUE)
}

/** tanh, relative error 2e-7 at every size: q / (q + 2) with q = e^{2|x|} − 1. With 2|x| = f + n·ln 2, q =
 *  2ⁿ·(eᶠ − 1) + (2ⁿ − 1). So nothing cancels for n = 0. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x)
  const bounded = f32x4.pmin(f32x4.add(size, size), constant(Constant.tanhMax))
  const shifted = fma(bounded, constant(Constant.log2E), constant(Constant.round))
  const f = expRest(bounded, f32x4.sub(shifted, constant(Constant.round)))
  const power = i32x4.add(i32x4.shl(shifted, 23), constant(Constant.one)) // 2ⁿ
  const less = fma(expPolynomial(f), f32x4.mul(f, f), f) // eᶠ − 1
  const q = fma(less, power, f32x4.sub(power, constant(Constant.one)))
  const result = f32x4.div(q, f32x4.add(q, constant(Constant.two)))
  return v128.or(result, v128.and(x, splat(-0.0)))
}

/** e^{−x²/2}, relative error 4e-6 at x = 13 (from rounding x²) and 2e-7 near 0. */
// @ts-ignore: decorator
@inline
function gaussian4(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.mul(x, x), constant(Constant.minusHalf)))
}

/** Φ(x), the normal distribution function, for gaussian = {@link gaussian4}(x). The tail Φ(−|x|) is gaussian
 *  times a polynomial in u = 1 / (1 + 0.21·|x|), so nothing cancels for x < 0. Relative error: 6e-7 plus the
 *  error of gaussian. */
// @ts-ignore: decorator
@inline
function normalCdf4(x: v128, gaussian: v128): v128 {
  const one = constant(Constant.one)
  const u = f32x4.div(one, fma(constant(Constant.tailScale), f32x4.abs(x), one))
  let p = fma(constant(Constant.tail8), u, constant(Constant.tail7))
  p = fma(p, u, constant(Constant.tail6))
  p = fma(p, u, constant(Constant.tail5))
  p = fma(p, u, constant(Constant.tail4))
  p = fma(p, u, constant(Constant.tail3))
  p = fma(p, u, constant(Constant.tail2))
  p = fma(p, u, constant(Constant.tail1))
  p = fma(p, u, constant(Constant.tail0))
  const tail = f32x4.mul(f32x4.mul(p, u), gaussian)
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, splat(0)))
}

// The functions of gelu are called, not inlined. A call costs little compared with an exponential, and
// inlined copies cost bytes.

export function gelu4(x: v128): v128 {
  return f32x4.mul(x, normalCdf4(x, gaussian4(x)))
}

/** gelu′(x) = Φ(x) + x·φ(x) with the density φ. */
export function geluSlope4(x: v128): v128 {
  const gaussian = gaussian4(x)
  const density = f32x4.mul(constant(Constant.normalPeak), gaussian)
  return f32x4.add(normalCdf4(x, gaussian), f32x4.mul(x, density))
}

/** (1 + tanh √(2/π)(x + 0.044715·x³)) / 2, computed as the sigmoid of twice the argument of tanh. So nothing
 *  cancels for x < 0. */
function tanhGate4(x: v128): v128 {
  const slope = fma(constant(Constant.gateCubic), f32x4.mul(x, x), constant(Constant.gateLinear))
  return sigmoid4(f32x4.mul(x, slope))
}

export function geluTanh4(x: v128): v128 {
  return f32x4.mul(x, tanhGate4(x))
}

/** The derivative of {@link geluTanh4}. Beyond ±12 the gate is 0 or 1 and its own derivative is 0. */
export function geluTanhSlope4(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, splat(-12)), splat(12))
  const gate = tanhGate4(bounded)
  const cubic = f32x4.mul(f32x4.mul(constant(Constant.gateCubic), splat(3)), f32x4.mul(bounded, bounded))
  const inner = f32x4.mul(bounded, f32x4.add(constant(Constant.gateLinear), cubic))
  return f32x4.add(gate, f32x4.mul(f32x4.mul(gate, f32x4.sub(constant(Constant.one), gate)), inner))
}

/** Natural logarithm of a positive normal f64 in f64, error 1e-15: x = m·2ᵉ with m in [√½, √2), log m =
 *  2·artanh((m − 1)/(m + 1)). AssemblyScript's own Math.log has a table in static data, and our modules must
 *  not have static data. */
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
