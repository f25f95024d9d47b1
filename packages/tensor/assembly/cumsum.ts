import { highF64, loadNext, lowF64, storeNext } from './simd'
import { workspace } from './workspace'

/** out[o, i] = Σ_{j ≤ i} x[o, j] (j ≥ i if reverse) for rows o = begin … end−1; the sum runs in f64. */
export function cumsumRows(x: usize, out: usize, length: i32, reverse: i32, begin: i32, end: i32): void {
  const bytes = (<usize>length) << 2
  for (let row = <usize>begin; row < <usize>end; row++) {
    const source = x + row * bytes
    const target = out + row * bytes
    let sum: f64 = 0
    if (reverse) {
      for (let p = bytes; p > 0; ) {
        p -= 4
        sum += <f64>load<f32>(source + p)
        store<f32>(target + p, <f32>sum)
      }
    } else {
      for (let p: usize = 0; p < bytes; p += 4) {
        sum += <f64>load<f32>(source + p)
        store<f32>(target + p, <f32>sum)
      }
    }
  }
}

/** Columns per panel of {@link cumsumColumns}: 8 KiB of sums. */
const PANEL = 1024

/** out[o, i, n] = Σ_{j ≤ i} x[o, j, n] (j ≥ i if reverse) for the panels begin … end−1 of 1024 columns n, counted through all
 *  outer o; the sums run in f64. */
export function cumsumColumns(
  x: usize,
  out: usize,
  length: i32,
  inner: i32,
  reverse: i32,
  begin: i32,
  end: i32,
): void {
  const panels = (inner + PANEL - 1) / PANEL
  const rowBytes = (<usize>inner) << 2
  const sums = workspace()
  for (let panel = begin; panel < end; panel++) {
    const outer = <usize>(panel / panels)
    const first = (panel % panels) * PANEL
    const bytes = (<usize>min(PANEL, inner - first)) << 2
    const offset = outer * (<usize>length) * rowBytes + ((<usize>first) << 2)
    memory.fill(sums, 0, (2 * bytes + 31) & ~31)
    for (let step = 0; step < length; step++) {
      const i = <usize>(reverse ? length - 1 - step : step)
      const source = x + offset + i * rowBytes
      const target = out + offset + i * rowBytes
      for (let p: usize = 0; p < bytes; p += 16) {
        const v = loadNext(source + p, bytes - p)
        const low = f64x2.add(v128.load(sums + 2 * p), lowF64(v))
        const high = f64x2.add(v128.load(sums + 2 * p, 16), highF64(v))
        v128.store(sums + 2 * p, low)
        v128.store(sums + 2 * p, high, 16)
        const rounded = i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
        storeNext(target + p, rounded, bytes - p)
      }
    }
  }
}
