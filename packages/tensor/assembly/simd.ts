// Building blocks of the SIMD kernels. Four f32 lanes unless said otherwise.

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

/** eˣ in four lanes, relative error 1.2e-7: x = n·ln 2 + f by Cody and Waite's two-part ln 2, then a polynomial of degree 6
 *  (Cephes expf). Results below 2^−126 are 0, arguments above 88.37 give e^88.37; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const bounded = f32x4.pmin(splat(88.37626), x) // x where it is smaller, so a NaN becomes finite here and is put back last
  const n = f32x4.nearest(f32x4.mul(bounded, splat(1.44269504)))
  let f = fma(n, splat(-0.693359375), bounded)
  f = fma(n, splat(2.12194440e-4), f)
  let p = splat(1.9875691500e-4)
  p = fma(p, f, splat(1.3981999507e-3))
  p = fma(p, f, splat(8.3334519073e-3))
  p = fma(p, f, splat(4.1665795894e-2))
  p = fma(p, f, splat(1.6666665459e-1))
  p = fma(p, f, splat(5.0000001201e-1))
  p = fma(p, f32x4.mul(f, f), f32x4.add(f, splat(1)))
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23)
  const result = f32x4.mul(p, power)
  const flushed = v128.andnot(result, f32x4.lt(x, splat(-87.33654)))
  return v128.bitselect(flushed, x, f32x4.eq(x, x))
}

/** eˣ of one number, the same bits as a lane of {@link exp4}. */
// @ts-ignore: decorator
@inline
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0)
}
