import { fma, loadNext, splat, storeNext } from './simd'

/** One step of gradient descent on elements begin … end−1, with g = clip·grad, clip = min(1, maxNorm / (norm
 *  + 1e-6)):
 *  velocity ← momentum·velocity + g, p ← p − (decay·p + rate·(own·g + past·velocity)).
 *  Without a velocity (address 0): p ← p − (decay·p + rate·g).
 *  If the norm is not finite, nothing changes. */
export function sgd(
  param: usize,
  grad: usize,
  velocity: usize,
  norm: usize,
  maxNorm: f32,
  momentum: f32,
  own: f32,
  past: f32,
  rate: f32,
  decay: f32,
  begin: i32,
  end: i32,
): void {
  const length = load<f32>(norm)
  if (!(abs(length) < Infinity)) return
  const clip = splat(min<f32>(1, maxNorm / (length + 1e-6)))
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    let direction = f32x4.mul(clip, loadNext(grad + p, left))
    if (velocity) {
      const next = fma(splat(momentum), loadNext(velocity + p, left), direction)
      storeNext(velocity + p, next, left)
      direction = fma(splat(past), next, f32x4.mul(splat(own), direction))
    }
    const old = loadNext(param + p, left)
    const change = fma(splat(rate), direction, f32x4.mul(splat(decay), old))
    storeNext(param + p, f32x4.sub(old, change), left)
  }
}
