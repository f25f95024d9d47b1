/** Rows of one partial product. Two panels of so many rows take 16 KiB. */
export const CHUNK: i32 = 128

/** partials[item] = xᵀ·y over the rows of chunk `item`, [8, 8] each; x and y are [n, 8] in f64. */
export function panelGram(x: usize, y: usize, partials: usize, n: i32, begin: i32, end: i32): void {
  for (let item = begin; item < end; item++) {
    const from = ((<usize>item) * CHUNK) << 6
    const to = (<usize>min((item + 1) * CHUNK, n)) << 6
    const out = partials + ((<usize>item) << 9)
    // Two columns of x times all columns of y: the eight accumulators stay in registers.
    for (let a: usize = 0; a < 64; a += 16) {
      let p0 = f64x2.splat(0)
      let p1 = p0
      let p2 = p0
      let p3 = p0
      let q0 = p0
      let q1 = p0
      let q2 = p0
      let q3 = p0
      for (let row = from; row < to; row += 64) {
        const left = v128.load64_splat(x + row + a)
        const right = v128.load64_splat(x + row + a, 8)
        const y0 = v128.load(y + row)
        const y1 = v128.load(y + row, 16)
        const y2 = v128.load(y + row, 32)
        const y3 = v128.load(y + row, 48)
        p0 = f64x2.add(p0, f64x2.mul(left, y0))
        p1 = f64x2.add(p1, f64x2.mul(left, y1))
        p2 = f64x2.add(p2, f64x2.mul(left, y2))
        p3 = f64x2.add(p3, f64x2.mul(left, y3))
        q0 = f64x2.add(q0, f64x2.mul(right, y0))
        q1 = f64x2.add(q1, f64x2.mul(right, y1))
        q2 = f64x2.add(q2, f64x2.mul(right, y2))
        q3 = f64x2.add(q3, f64x2.mul(right, y3))
      }
      const at = out + (a << 3)
      v128.store(at, p0)
      v128.store(at, p1, 16)
      v128.store(at, p2, 32)
      v128.store(at, p3, 48)
      v128.store(at, q0, 64)
      v128.store(at, q1, 80)
      v128.store(at, q2, 96)
      v128.store(at, q3, 112)
    }
  }
}
