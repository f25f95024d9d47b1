import { highF64, loadNext, lowF64, sumLanesF64 } from './simd'

/** partials[c] = Σ x[i]² in f64 over the chunk c of `chunk` elements, for chunks begin … end−1. */
export function squareSums(x: usize, partials: usize, length: i32, chunk: i32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    let p = x + ((<usize>(c * chunk)) << 2)
    const stop = x + ((<usize>min(length, (c + 1) * chunk)) << 2)
    let s0 = f64x2.splat(0)
    let s1 = s0
    for (; p < stop; p += 16) {
      const v = loadNext(p, stop - p)
      const low = lowF64(v)
      const high = highF64(v)
      s0 = f64x2.add(s0, f64x2.mul(low, low))
      s1 = f64x2.add(s1, f64x2.mul(high, high))
    }
    store<f64>(partials + ((<usize>c) << 3), sumLanesF64(f64x2.add(s0, s1)))
  }
}

/** out[0] = √(Σ of `count` partial sums, in order): one tile. */
export function rootOfSums(partials: usize, out: usize, count: i32, begin: i32, end: i32): void {
  let sum: f64 = 0
  for (let i: usize = 0; i < <usize>count; i++) sum += load<f64>(partials + (i << 3))
  store<f32>(out, <f32>sqrt<f64>(sum))
}
