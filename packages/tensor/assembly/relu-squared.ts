import { loadNext, splat, storeNext } from './simd'

/** out[i] = max(x[i], 0)². */
export function reluSquared(x: usize, out: usize, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    const positive = f32x4.pmax(loadNext(x + p, left), splat(0))
    storeNext(out + p, f32x4.mul(positive, positive), left)
  }
}

/** dX[i] = 2·√out[i]·dOut[i]. */
export function reluSquaredGrad(out: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    const positive = f32x4.sqrt(loadNext(out + p, left))
    storeNext(dX + p, f32x4.mul(f32x4.add(positive, positive), loadNext(dOut + p, left)), left)
  }
}
