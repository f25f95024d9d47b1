import { fma, loadNext, splat, storeNext, sumLanes } from './simd'

/** Σ a·b over one row: four vectors at a time, then one, added as ((0 + 1) + (2 + 3)). */
// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
  let s0 = splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let p: usize = 0
  for (; p + 64 <= bytes; p += 64) {
    s0 = fma(v128.load(a + p), v128.load(b + p), s0)
    s1 = fma(v128.load(a + p, 16), v128.load(b + p, 16), s1)
    s2 = fma(v128.load(a + p, 32), v128.load(b + p, 32), s2)
    s3 = fma(v128.load(a + p, 48), v128.load(b + p, 48), s3)
  }
  for (; p < bytes; p += 16) s0 = fma(loadNext(a + p, bytes - p), loadNext(b + p, bytes - p), s0)
  return sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
}

/** y = x / √(mean x² + eps) for rows begin … end−1. */
export function rmsNorm(x: usize, y: usize, cols: i32, eps: f32, begin: i32, end: i32): void {
  const bytes = (<usize>cols) << 2
  for (let row = <usize>begin; row < <usize>end; row++) {
    const source = x + row * bytes
    const target = y + row * bytes
    const factor = splat(1 / sqrt<f32>(dot(source, source, bytes) / <f32>cols + eps))
    let p: usize = 0
    for (; p + 64 <= bytes; p += 64) {
      v128.store(target + p, f32x4.mul(factor, v128.load(source + p)))
      v128.store(target + p, f32x4.mul(factor, v128.load(source + p, 16)), 16)
      v128.store(target + p, f32x4.mul(factor, v128.load(source + p, 32)), 32)
      v128.store(target + p, f32x4.mul(factor, v128.load(source + p, 48)), 48)
    }
    for (; p < bytes; p += 16)
      storeNext(target + p, f32x4.mul(factor, loadNext(source + p, bytes - p)), bytes - p)
  }
}

/** dX = s·dOut − s³·x·mean(x·dOut) with s = 1/√(mean x² + eps), for rows begin … end−1. */
export function rmsNormGrad(x: usize, dOut: usize, dX: usize, cols: i32, eps: f32, begin: i32, end: i32): void {
  const bytes = (<usize>cols) << 2
  for (let row = <usize>begin; row < <usize>end; row++) {
    const offset = row * bytes
    const source = x + offset
    const upper = dOut + offset
    const target = dX + offset
    const s: f32 = 1 / sqrt<f32>(dot(source, source, bytes) / <f32>cols + eps)
    const pull = splat(-s * s * (dot(source, upper, bytes) / <f32>cols))
    const factor = splat(s)
    for (let p: usize = 0; p < bytes; p += 16) {
      const left = bytes - p
      storeNext(target + p, f32x4.mul(factor, fma(pull, loadNext(source + p, left), loadNext(upper + p, left))), left)
    }
  }
}
