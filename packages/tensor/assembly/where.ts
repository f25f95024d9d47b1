import { next, place } from './loops'
import { splat, storeNext } from './simd'

/** For elements begin … end−1 of four loops: out(i) = a(i) if mask(i) is not 0, else b(i). NaN counts as not
 *  0. */
export function where(mask: usize, a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, m0: i32, m1: i32, m2: i32, m3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  for (let i = begin; i < end; ) {
    const length = min(n3 - (i % n3), end - i)
    const chooser = place(mask, i, n1, n2, n3, m0, m1, m2, m3)
    const left = place(a, i, n1, n2, n3, a0, a1, a2, a3)
    const right = place(b, i, n1, n2, n3, b0, b1, b2, b3)
    const target = out + ((<usize>i) << 2)
    const bytes = (<usize>length) << 2
    for (let p: usize = 0; p < bytes; p += 16) {
      const isChosen = f32x4.ne(next(chooser, p, m3, bytes - p), splat(0))
      const chosen = v128.bitselect(next(left, p, a3, bytes - p), next(right, p, b3, bytes - p), isChosen)
      storeNext(target + p, chosen, bytes - p)
    }
    i += length
  }
}
