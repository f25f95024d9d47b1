import { fma, loadNext, splat, storeNext } from './simd'

/** target[i] += scale · x[i] for begin ≤ i < end. */
export function accumulate(target: usize, x: usize, scale: f32, begin: i32, end: i32): void {
  const factor = splat(scale)
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    storeNext(target + p, fma(factor, loadNext(x + p, left), loadNext(target + p, left)), left)
  }
}
