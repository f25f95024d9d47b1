/** Rows begin … end−1 of out += x·g in f64; x and out are [n, 8], g is [8, 8]. Each element adds the products
 *  in the order of x's columns. */
export function panelAdd(out: usize, x: usize, g: usize, begin: i32, end: i32): void {
  for (let row = (<usize>begin) << 6; row < (<usize>end) << 6; row += 64) {
    let s0 = v128.load(out + row)
    let s1 = v128.load(out + row, 16)
    let s2 = v128.load(out + row, 32)
    let s3 = v128.load(out + row, 48)
    for (let a: usize = 0; a < 8; a++) {
      const value = v128.load64_splat(x + row + (a << 3))
      const from = g + (a << 6)
      s0 = f64x2.add(s0, f64x2.mul(value, v128.load(from)))
      s1 = f64x2.add(s1, f64x2.mul(value, v128.load(from, 16)))
      s2 = f64x2.add(s2, f64x2.mul(value, v128.load(from, 32)))
      s3 = f64x2.add(s3, f64x2.mul(value, v128.load(from, 48)))
    }
    v128.store(out + row, s0)
    v128.store(out + row, s1, 16)
    v128.store(out + row, s2, 32)
    v128.store(out + row, s3, 48)
  }
}
