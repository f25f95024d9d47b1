import { maxLanes, splat } from './simd'

/** Largest element of a row that is not NaN, or −Infinity if there is none. It serves sums of e^{x − peak},
 *  which become NaN by themselves if an x is NaN. pmax is one instruction; f32x4.max takes several. */
// @ts-ignore: decorator
@inline
export function rowPeak(row: usize, bytes: usize): f32 {
  let m0 = splat(-Infinity)
  let m1 = m0
  let m2 = m0
  let m3 = m0
  let p: usize = 0
  for (; p + 64 <= bytes; p += 64) {
    m0 = f32x4.pmax(m0, v128.load(row + p))
    m1 = f32x4.pmax(m1, v128.load(row + p, 16))
    m2 = f32x4.pmax(m2, v128.load(row + p, 32))
    m3 = f32x4.pmax(m3, v128.load(row + p, 48))
  }
  let peaks = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3))
  for (; p < bytes; p += 4) peaks = f32x4.pmax(peaks, v128.load32_splat(row + p))
  return maxLanes(peaks)
}
