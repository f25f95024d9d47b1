import { inverse, tanh4 } from './math'
import { loadNext, splat, storeNext } from './simd'

/** out[i] = cap · tanh(x[i] / cap), two vectors side by side. */
export function softcap(x: usize, out: usize, cap: f32, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  const part = inverse(cap)
  let p = (<usize>begin) << 2
  for (; p + 32 <= stop; p += 32) {
    const low = f32x4.mul(splat(cap), tanh4(f32x4.mul(v128.load(x + p), splat(part))))
    const high = f32x4.mul(splat(cap), tanh4(f32x4.mul(v128.load(x + p, 16), splat(part))))
    v128.store(out + p, low)
    v128.store(out + p, high, 16)
  }
  for (; p < stop; p += 16) {
    const left = stop - p
    storeNext(out + p, f32x4.mul(splat(cap), tanh4(f32x4.mul(loadNext(x + p, left), splat(part)))), left)
  }
}

/** dX[i] = dOut[i] · (1 − (out[i] / cap)²). */
export function softcapGrad(out: usize, dOut: usize, dX: usize, cap: f32, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    const t = f32x4.div(loadNext(out + p, left), splat(cap))
    storeNext(dX + p, f32x4.mul(loadNext(dOut + p, left), f32x4.sub(splat(1), f32x4.mul(t, t))), left)
  }
}
