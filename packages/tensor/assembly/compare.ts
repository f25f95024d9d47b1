import { next, place } from './loops'
import { splat, storeNext } from './simd'

/** For elements begin … end−1 of four loops: out(i) = whenLess if a(i) < b(i), whenEqual if they are equal,
 *  else otherwise. `ints`: a and b are i32. One loop serves all comparisons, because they differ only by
 *  these three numbers. */
export function compare(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, ints: i32, whenLess: f32, whenEqual: f32, otherwise: f32, begin: i32, end: i32): void {
  for (let i = begin; i < end; ) {
    const length = min(n3 - (i % n3), end - i)
    const left = place(a, i, n1, n2, n3, a0, a1, a2, a3)
    const right = place(b, i, n1, n2, n3, b0, b1, b2, b3)
    const target = out + ((<usize>i) << 2)
    const bytes = (<usize>length) << 2
    for (let p: usize = 0; p < bytes; p += 16) {
      const x = next(left, p, a3, bytes - p)
      const y = next(right, p, b3, bytes - p)
      const less = ints ? i32x4.lt_s(x, y) : f32x4.lt(x, y)
      const equal = ints ? i32x4.eq(x, y) : f32x4.eq(x, y)
      const rest = v128.bitselect(splat(whenEqual), splat(otherwise), equal)
      storeNext(target + p, v128.bitselect(splat(whenLess), rest, less), bytes - p)
    }
    i += length
  }
}
