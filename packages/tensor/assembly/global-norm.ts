import { highF64, loadF64, loadNext, lowF64, sumLanesF64 } from './simd'

/** sum + a² for two f64 lanes that hold f32 numbers. The square is exact, so both builds round once. */
// @ts-ignore: decorator
@inline
function addSquare(a: v128, sum: v128): v128 {
  return isDefined(RELAXED) ? f64x2.relaxed_madd(a, a, sum) : f64x2.add(f64x2.mul(a, a), sum)
}

/** partials[c] = Σ x[i]² in f64 over chunk c of `chunk` elements, for chunks begin … end−1. Eight sums of two
 *  lanes, added as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). Speed: 0.70 of reading on one thread, 0.63 on
 *  two, because every two numbers need a conversion, a multiply-add and an address. */
export function squareSums(x: usize, partials: usize, length: i32, chunk: i32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    let p = x + ((<usize>(c * chunk)) << 2)
    const stop = x + ((<usize>min(length, (c + 1) * chunk)) << 2)
    let s0 = f64x2.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    let s4 = s0
    let s5 = s0
    let s6 = s0
    let s7 = s0
    for (; p + 64 <= stop; p += 64) {
      s0 = addSquare(loadF64(p), s0)
      s1 = addSquare(loadF64(p + 8), s1)
      s2 = addSquare(loadF64(p + 16), s2)
      s3 = addSquare(loadF64(p + 24), s3)
      s4 = addSquare(loadF64(p + 32), s4)
      s5 = addSquare(loadF64(p + 40), s5)
      s6 = addSquare(loadF64(p + 48), s6)
      s7 = addSquare(loadF64(p + 56), s7)
    }
    for (; p < stop; p += 16) {
      const v = loadNext(p, stop - p)
      s0 = addSquare(lowF64(v), s0)
      s1 = addSquare(highF64(v), s1)
    }
    const low = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3))
    const high = f64x2.add(f64x2.add(s4, s5), f64x2.add(s6, s7))
    store<f64>(partials + ((<usize>c) << 3), sumLanesF64(f64x2.add(low, high)))
  }
}

/** out[0] = √(Σ of `count` partial sums, in order). One tile. */
export function rootOfSums(partials: usize, out: usize, count: i32, begin: i32, end: i32): void {
  let sum: f64 = 0
  for (let i: usize = 0; i < <usize>count; i++) sum += load<f64>(partials + (i << 3))
  store<f32>(out, <f32>sqrt<f64>(sum))
}
