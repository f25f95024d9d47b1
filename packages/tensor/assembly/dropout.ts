/** For begin ≤ i < end: out[i] = scale·x[i] if word i of the philox stream is at least `threshold`, else 0.
 *  begin is a multiple of 4. Word i is word i mod 4 of block i / 4: philox 4×32-10 as in src/philox.ts, with
 *  counter (block, step, stream, 1). */
export function dropout(x: usize, out: usize, threshold: u32, scale: f32, key0: u32, key1: u32, step: u32, stream: u32, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    let c0 = <u32>(i >> 2)
    let c1 = step
    let c2 = stream
    let c3: u32 = 1
    let k0 = key0
    let k1 = key1
    for (let round = 0; round < 10; round++) {
      const product0 = (<u64>c0) * 0xd2511f53
      const product1 = (<u64>c2) * 0xcd9e8d57
      c0 = <u32>(product1 >> 32) ^ c1 ^ k0
      c1 = <u32>product1
      c2 = <u32>(product0 >> 32) ^ c3 ^ k1
      c3 = <u32>product0
      k0 += 0x9e3779b9
      k1 += 0xbb67ae85
    }
    keep(x, out, i, c0, threshold, scale)
    if (i + 1 < end) keep(x, out, i + 1, c1, threshold, scale)
    if (i + 2 < end) keep(x, out, i + 2, c2, threshold, scale)
    if (i + 3 < end) keep(x, out, i + 3, c3, threshold, scale)
  }
}

// @ts-ignore: decorator
@inline
function keep(x: usize, out: usize, i: i32, word: u32, threshold: u32, scale: f32): void {
  const p = (<usize>i) << 2
  store<f32>(out + p, word >= threshold ? load<f32>(x + p) * scale : 0)
}
