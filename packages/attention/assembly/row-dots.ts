import { fma, splat, sumLanes } from '@tau/tensor/assembly/simd'

/** out[r] = Σ_c a[r, c]·b[r, c]: four partial sums of the columns c mod 4, then the tail. */
export function rowDots(a: usize, b: usize, out: usize, cols: i32, begin: i32, end: i32): void {
  const row = (<usize>cols) << 2
  const vectors = row & ~15
  for (let r = begin; r < end; r++) {
    const left = a + (<usize>r) * row
    const right = b + (<usize>r) * row
    let sum = splat(0)
    let c: usize = 0
    for (; c < vectors; c += 16) sum = fma(v128.load(left + c), v128.load(right + c), sum)
    let dot = sumLanes(sum)
    for (; c < row; c += 4) dot += load<f32>(left + c) * load<f32>(right + c)
    store<f32>(out + ((<usize>r) << 2), dot)
  }
}
