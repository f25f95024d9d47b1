/** Sums in f64 for distances between the rows begin … end−1 and their candidates. Row r compares x[owners[r]]
 *  with y[i] for counts[r] indices i. These indices start at candidates + r·stride·step and lie `step` bytes
 *  apart. The sums go to out [rows, stride].
 *  A sum is Σ(x − y)² if `squares`, else Σ x·y. It runs over `dim` coordinates in their order, without fused
 *  multiply-add, so it has the bits of distance.ts. */
export function refineRows(
  x: usize,
  y: usize,
  owners: usize,
  candidates: usize,
  step: usize,
  counts: usize,
  stride: i32,
  dim: i32,
  squares: bool,
  out: usize,
  begin: i32,
  end: i32,
): void {
  const rowBytes = (<usize>dim) << 3
  for (let row = begin; row < end; row++) {
    const from = x + <usize>load<u32>(owners + ((<usize>row) << 2)) * rowBytes
    const count = load<i32>(counts + ((<usize>row) << 2))
    let candidate = candidates + <usize>row * <usize>stride * step
    let target = out + ((<usize>row * <usize>stride) << 3)
    for (let n = 0; n < count; n += 4) {
      // Four candidates at a time, because their chains of sums hide each other's latency. A missing
      // candidate repeats the first.
      const a = y + <usize>load<u32>(candidate) * rowBytes
      const b = n + 1 < count ? y + <usize>load<u32>(candidate + step) * rowBytes : a
      const c = n + 2 < count ? y + <usize>load<u32>(candidate + step * 2) * rowBytes : a
      const d = n + 3 < count ? y + <usize>load<u32>(candidate + step * 3) * rowBytes : a
      let s0: f64 = 0
      let s1: f64 = 0
      let s2: f64 = 0
      let s3: f64 = 0
      if (squares) {
        for (let e: usize = 0; e < rowBytes; e += 8) {
          const v = load<f64>(from + e)
          const d0 = v - load<f64>(a + e)
          const d1 = v - load<f64>(b + e)
          const d2 = v - load<f64>(c + e)
          const d3 = v - load<f64>(d + e)
          s0 += d0 * d0
          s1 += d1 * d1
          s2 += d2 * d2
          s3 += d3 * d3
        }
      } else {
        for (let e: usize = 0; e < rowBytes; e += 8) {
          const v = load<f64>(from + e)
          s0 += v * load<f64>(a + e)
          s1 += v * load<f64>(b + e)
          s2 += v * load<f64>(c + e)
          s3 += v * load<f64>(d + e)
        }
      }
      store<f64>(target, s0)
      if (n + 1 < count) store<f64>(target, s1, 8)
      if (n + 2 < count) store<f64>(target, s2, 16)
      if (n + 3 < count) store<f64>(target, s3, 24)
      target += 32
      candidate += step * 4
    }
  }
}
