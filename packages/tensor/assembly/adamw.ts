import { fma, loadNext, splat, storeNext } from './simd'

/** One AdamW step on elements begin … end−1, with g = clip·grad, clip = min(1, maxNorm / (norm + 1e-6)):
 *  m ← beta1·m + keep1·g, v ← beta2·v + keep2·g², p ← p − (decay·p + rate·m / (√v·unbias + eps)).
 *  If the norm is not finite, nothing changes. */
export function adamw(
  param: usize,
  grad: usize,
  m: usize,
  v: usize,
  norm: usize,
  maxNorm: f32,
  beta1: f32,
  keep1: f32,
  beta2: f32,
  keep2: f32,
  rate: f32,
  decay: f32,
  unbias: f32,
  eps: f32,
  begin: i32,
  end: i32,
): void {
  const length = load<f32>(norm)
  if (!(abs(length) < Infinity)) return
  const clip = splat(min<f32>(1, maxNorm / (length + 1e-6)))
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    const g = f32x4.mul(clip, loadNext(grad + p, left))
    const first = fma(splat(beta1), loadNext(m + p, left), f32x4.mul(splat(keep1), g))
    const second = fma(splat(beta2), loadNext(v + p, left), f32x4.mul(splat(keep2), f32x4.mul(g, g)))
    storeNext(m + p, first, left)
    storeNext(v + p, second, left)
    const size = fma(f32x4.sqrt(second), splat(unbias), splat(eps))
    const change = f32x4.div(f32x4.mul(splat(rate), first), size)
    const old = loadNext(param + p, left)
    storeNext(param + p, f32x4.sub(old, fma(splat(decay), old, change)), left)
  }
}
