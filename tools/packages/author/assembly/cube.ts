import { loadNext, storeNext } from '@tau/tensor/assembly/simd'

/** out[i] = x[i]³. */
export function cube(x: usize, out: usize, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    const v = loadNext(x + p, left)
    storeNext(out + p, f32x4.mul(f32x4.mul(v, v), v), left)
  }
}
