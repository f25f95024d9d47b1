import { loadNext, splat, storeNext } from './simd'

/** out[i] = min(max(x[i], low), high). NaN stays NaN, because pmax and pmin then return their first
 *  operand. */
export function clamp(x: usize, out: usize, low: f32, high: f32, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    storeNext(out + p, f32x4.pmin(f32x4.pmax(loadNext(x + p, left), splat(low)), splat(high)), left)
  }
}

/** dX[i] = dOut[i] if low ≤ x[i] ≤ high, else 0. */
export function clampGrad(x: usize, dOut: usize, dX: usize, low: f32, high: f32, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    const v = loadNext(x + p, left)
    const inside = v128.and(f32x4.ge(v, splat(low)), f32x4.le(v, splat(high)))
    storeNext(dX + p, v128.and(loadNext(dOut + p, left), inside), left)
  }
}
