/** Products of one vector u [dim], in f64, with the rows begin … end−1 of a matrix [n, dim] → out [n]. All
 *  sums are in f64. Element e of a row joins the sum e mod 4; the total is (s0 + s2) + (s1 + s3). The up to
 *  three elements after the last full four join that total one after the other. So the sum of a row does not
 *  depend on its place, and has the bits of the JavaScript loops. Two rows at a time hide the latency of the
 *  additions. */
// @ts-ignore: decorator
@inline
function dots<T>(u: usize, rows: usize, dim: i32, out: usize, begin: i32, end: i32): void {
  const step = <usize>dim * sizeof<T>()
  let i = begin
  for (; i + 2 <= end; i += 2) {
    const x = rows + <usize>i * step
    const y = x + step
    let xLow = f64x2.splat(0)
    let xHigh = xLow
    let yLow = xLow
    let yHigh = xLow
    let e: i32 = 0
    for (; e + 4 <= dim; e += 4) {
      const at = <usize>e * sizeof<T>()
      const low = v128.load(u + (<usize>e << 3))
      const high = v128.load(u + (<usize>e << 3), 16)
      xLow = f64x2.add(xLow, f64x2.mul(low, pair<T>(x + at)))
      xHigh = f64x2.add(xHigh, f64x2.mul(high, pair<T>(x + at + 2 * sizeof<T>())))
      yLow = f64x2.add(yLow, f64x2.mul(low, pair<T>(y + at)))
      yHigh = f64x2.add(yHigh, f64x2.mul(high, pair<T>(y + at + 2 * sizeof<T>())))
    }
    store<f64>(out + (<usize>i << 3), total<T>(xLow, xHigh, u, x, e, dim))
    store<f64>(out + (<usize>i << 3), total<T>(yLow, yHigh, u, y, e, dim), 8)
  }
  if (i < end) {
    const x = rows + <usize>i * step
    let low = f64x2.splat(0)
    let high = low
    let e: i32 = 0
    for (; e + 4 <= dim; e += 4) {
      const at = <usize>e * sizeof<T>()
      low = f64x2.add(low, f64x2.mul(v128.load(u + (<usize>e << 3)), pair<T>(x + at)))
      high = f64x2.add(high, f64x2.mul(v128.load(u + (<usize>e << 3), 16), pair<T>(x + at + 2 * sizeof<T>())))
    }
    store<f64>(out + (<usize>i << 3), total<T>(low, high, u, x, e, dim))
  }
}

/** Two numbers as f64. */
// @ts-ignore: decorator
@inline
function pair<T>(from: usize): v128 {
  if (sizeof<T>() == 8) return v128.load(from)
  return f64x2.promote_low_f32x4(v128.load64_zero(from))
}

// @ts-ignore: decorator
@inline
function total<T>(low: v128, high: v128, u: usize, x: usize, from: i32, dim: i32): f64 {
  const both = f64x2.add(low, high)
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)
  for (let e = from; e < dim; e++) sum += load<f64>(u + (<usize>e << 3)) * <f64>load<T>(x + <usize>e * sizeof<T>())
  return sum
}

export function dotsF32(u: usize, rows: usize, dim: i32, out: usize, begin: i32, end: i32): void {
  dots<f32>(u, rows, dim, out, begin, end)
}

export function dotsF64(u: usize, rows: usize, dim: i32, out: usize, begin: i32, end: i32): void {
  dots<f64>(u, rows, dim, out, begin, end)
}
