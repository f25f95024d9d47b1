/** Rows begin … end−1 of out ← a·(m·x) + b·x + c·out in f64; x and out are [n, cols], row-major. A term with
 *  factor 0 is not read. Each element sums the stored entries of its row in their order. Multiplication and
 *  addition are separate in both builds, so the bits are the bits of the JavaScript loops. */
export function csrStep(
  indptr: usize,
  indices: usize,
  values: usize,
  x: usize,
  out: usize,
  cols: i32,
  a: f64,
  b: f64,
  c: f64,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << 3
  const strips = (<usize>(cols & ~7)) << 3
  for (let i = begin; i < end; i++) {
    const first = load<i32>(indptr + ((<usize>i) << 2))
    const last = load<i32>(indptr + ((<usize>i) << 2), 4)
    const own = x + (<usize>i) * bytes
    const to = out + (<usize>i) * bytes
    for (let at: usize = 0; at < strips; at += 64) {
      let s0 = f64x2.splat(0)
      let s1 = s0
      let s2 = s0
      let s3 = s0
      for (let e = first; e < last; e++) {
        const weight = v128.load64_splat(values + ((<usize>e) << 3))
        const from = x + (<usize>load<i32>(indices + ((<usize>e) << 2))) * bytes + at
        s0 = f64x2.add(s0, f64x2.mul(weight, v128.load(from)))
        s1 = f64x2.add(s1, f64x2.mul(weight, v128.load(from, 16)))
        s2 = f64x2.add(s2, f64x2.mul(weight, v128.load(from, 32)))
        s3 = f64x2.add(s3, f64x2.mul(weight, v128.load(from, 48)))
      }
      finish(s0, own + at, to + at, a, b, c)
      finish(s1, own + at + 16, to + at + 16, a, b, c)
      finish(s2, own + at + 32, to + at + 32, a, b, c)
      finish(s3, own + at + 48, to + at + 48, a, b, c)
    }
    for (let at = strips; at < bytes; at += 8) {
      let sum: f64 = 0
      for (let e = first; e < last; e++) {
        const from = x + (<usize>load<i32>(indices + ((<usize>e) << 2))) * bytes + at
        sum += load<f64>(values + ((<usize>e) << 3)) * load<f64>(from)
      }
      sum *= a
      if (b != 0) sum += b * load<f64>(own + at)
      if (c != 0) sum += c * load<f64>(to + at)
      store<f64>(to + at, sum)
    }
  }
}

// @ts-ignore: decorator
@inline
function finish(sum: v128, own: usize, to: usize, a: f64, b: f64, c: f64): void {
  let all = f64x2.mul(f64x2.splat(a), sum)
  if (b != 0) all = f64x2.add(all, f64x2.mul(f64x2.splat(b), v128.load(own)))
  if (c != 0) all = f64x2.add(all, f64x2.mul(f64x2.splat(c), v128.load(to)))
  v128.store(to, all)
}
