import { highF64, loadF64, loadNext, lowF64, maxLanes, splat, storeNext, sumLanesF64 } from './simd'
import { workspace } from './workspace'

/** sums[o, q] = Σ in f64 of chunk q of row o, for (o, q) begin … end−1. A row has `parts` chunks of `chunk`
 *  elements. */
export function sumChunks(
  x: usize,
  sums: usize,
  length: i32,
  chunk: i32,
  parts: i32,
  begin: i32,
  end: i32,
): void {
  for (let item = begin; item < end; item++)
    store<f64>(sums + ((<usize>item) << 3), chunkSum(x, length, chunk, parts, item))
}

/** out[o] = Σ of row o, for rows begin … end−1. */
export function sumRows(x: usize, out: usize, length: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++)
    store<f32>(out + ((<usize>row) << 2), <f32>chunkSum(x, length, length, 1, row))
}

/** Eight sums of two f64 lanes, added as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). Speed: 0.71 of reading on
 *  one thread, 0.57 to 0.64 on two, because every two numbers need a conversion, an addition and an
 *  address. */
// @ts-ignore: decorator
@inline
function chunkSum(x: usize, length: i32, chunk: i32, parts: i32, item: i32): f64 {
  const row = x + (((<usize>(item / parts)) * <usize>length) << 2)
  const first = (item % parts) * chunk
  let p = row + ((<usize>first) << 2)
  const stop = row + ((<usize>min(length, first + chunk)) << 2)
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let s4 = s0
  let s5 = s0
  let s6 = s0
  let s7 = s0
  for (; p + 64 <= stop; p += 64) {
    s0 = f64x2.add(s0, loadF64(p))
    s1 = f64x2.add(s1, loadF64(p + 8))
    s2 = f64x2.add(s2, loadF64(p + 16))
    s3 = f64x2.add(s3, loadF64(p + 24))
    s4 = f64x2.add(s4, loadF64(p + 32))
    s5 = f64x2.add(s5, loadF64(p + 40))
    s6 = f64x2.add(s6, loadF64(p + 48))
    s7 = f64x2.add(s7, loadF64(p + 56))
  }
  for (; p < stop; p += 16) {
    const v = loadNext(p, stop - p)
    s0 = f64x2.add(s0, lowF64(v))
    s1 = f64x2.add(s1, highF64(v))
  }
  const low = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3))
  const high = f64x2.add(f64x2.add(s4, s5), f64x2.add(s6, s7))
  return sumLanesF64(f64x2.add(low, high))
}

/** Columns per panel of the column reductions: 8 KiB of f64 sums stay in the first-level cache. */
export const PANEL = 1024

/** sums[n] = Σ in f64 over `rows` rows of `bytes` bytes, one row after the other. Speed: 0.54 of reading on
 *  one thread, 0.37 on two ([4096, 384]). The reason is not known: eight rows at once ran at the same speed
 *  (docs/LOG.md). {@link addChunks} was not measured separately; it adds the sums of the chunks one number at
 *  a time, here in one tile. */
// @ts-ignore: decorator
@inline
function addRows(x: usize, rowBytes: usize, bytes: usize, rows: usize, sums: usize): void {
  memory.fill(sums, 0, (2 * bytes + 31) & ~31)
  for (let i: usize = 0; i < rows; i++) {
    const row = x + i * rowBytes
    let p: usize = 0
    for (; p + 32 <= bytes; p += 32) {
      const sum = sums + 2 * p
      v128.store(sum, f64x2.add(v128.load(sum), loadF64(row + p)))
      v128.store(sum, f64x2.add(v128.load(sum, 16), loadF64(row + p + 8)), 16)
      v128.store(sum, f64x2.add(v128.load(sum, 32), loadF64(row + p + 16)), 32)
      v128.store(sum, f64x2.add(v128.load(sum, 48), loadF64(row + p + 24)), 48)
    }
    for (; p < bytes; p += 4) addOne(row + p, sums + 2 * p)
  }
}

// @ts-ignore: decorator
@inline
function addOne(p: usize, sum: usize): void {
  store<f64>(sum, load<f64>(sum) + <f64>load<f32>(p))
}

/** out[o, n] = Σ_j x[o, j, n] for the panels begin … end−1 of 1024 columns n, counted over all outer o. */
export function sumColumns(x: usize, out: usize, length: i32, inner: i32, begin: i32, end: i32): void {
  const panels = (inner + PANEL - 1) / PANEL
  const rowBytes = (<usize>inner) << 2
  const sums = workspace()
  for (let panel = begin; panel < end; panel++) {
    const outer = <usize>(panel / panels)
    const first = (<usize>((panel % panels) * PANEL)) << 2
    const bytes = min((<usize>PANEL) << 2, rowBytes - first)
    addRows(x + outer * (<usize>length) * rowBytes + first, rowBytes, bytes, length, sums)
    const target = out + outer * rowBytes + first
    for (let p: usize = 0; p < bytes; p += 16) {
      const low = f32x4.demote_f64x2_zero(v128.load(sums + 2 * p))
      const high = f32x4.demote_f64x2_zero(v128.load(sums + 2 * p, 16))
      storeNext(target + p, i64x2.shuffle(low, high, 0, 2), bytes - p)
    }
  }
}

/** sums[q, n] = Σ in f64 over the rows of part q (`chunk` rows each), for parts begin … end−1. x is [length,
 *  inner] with inner ≤ 1024. Parts of `sums` lie `stride` bytes apart. */
export function sumColumnChunks(
  x: usize,
  sums: usize,
  length: i32,
  inner: i32,
  chunk: i32,
  stride: i32,
  begin: i32,
  end: i32,
): void {
  const rowBytes = (<usize>inner) << 2
  for (let q = begin; q < end; q++) {
    const first = q * chunk
    const rows = min(length, first + chunk) - first
    addRows(x + (<usize>first) * rowBytes, rowBytes, rowBytes, rows, sums + (<usize>q) * (<usize>stride))
  }
}

/** out[i] = Σ_q sums[i·step + q·stride] in order over `parts`, for i = begin … end−1. step and stride are in
 *  bytes. */
export function addChunks(
  sums: usize,
  out: usize,
  parts: i32,
  step: i32,
  stride: i32,
  begin: i32,
  end: i32,
): void {
  for (let i = <usize>begin; i < <usize>end; i++) {
    let sum: f64 = 0
    for (let q: usize = 0; q < <usize>parts; q++) sum += load<f64>(sums + i * (<usize>step) + q * (<usize>stride))
    store<f32>(out + (i << 2), <f32>sum)
  }
}

/** out[o, q] = largest element of chunk q of row o, or NaN if an element is NaN, for (o, q) begin … end−1. */
export function maxChunks(x: usize, out: usize, length: i32, chunk: i32, parts: i32, begin: i32, end: i32): void {
  for (let item = begin; item < end; item++) {
    const row = x + (((<usize>(item / parts)) * <usize>length) << 2)
    const first = (item % parts) * chunk
    let p = row + ((<usize>first) << 2)
    const stop = row + ((<usize>min(length, first + chunk)) << 2)
    // pmax is one instruction but drops NaN; f32x4.max takes several. So NaN is looked for separately.
    let m0 = splat(-Infinity)
    let m1 = m0
    let strange = splat(0)
    for (; p + 32 <= stop; p += 32) {
      const v = v128.load(p)
      const w = v128.load(p, 16)
      m0 = f32x4.pmax(m0, v)
      m1 = f32x4.pmax(m1, w)
      strange = v128.or(strange, v128.or(f32x4.ne(v, v), f32x4.ne(w, w)))
    }
    let peak: f32 = v128.any_true(strange) ? <f32>NaN : maxLanes(f32x4.pmax(m0, m1))
    for (; p < stop; p += 4) peak = max(peak, load<f32>(p))
    store<f32>(out + ((<usize>item) << 2), peak)
  }
}

/** out[o, n] = max_j x[o, j, n] for the panels begin … end−1 of 1024 columns n, counted over all outer o. */
export function maxColumns(x: usize, out: usize, length: i32, inner: i32, begin: i32, end: i32): void {
  const panels = (inner + PANEL - 1) / PANEL
  const rowBytes = (<usize>inner) << 2
  for (let panel = begin; panel < end; panel++) {
    const outer = <usize>(panel / panels)
    const first = (<usize>((panel % panels) * PANEL)) << 2
    const bytes = min((<usize>PANEL) << 2, rowBytes - first)
    const source = x + outer * (<usize>length) * rowBytes + first
    const target = out + outer * rowBytes + first
    for (let p: usize = 0; p < bytes; p += 16) storeNext(target + p, splat(-Infinity), bytes - p)
    for (let i: usize = 0; i < <usize>length; i++)
      for (let p: usize = 0; p < bytes; p += 16) {
        const left = bytes - p
        storeNext(target + p, f32x4.max(loadNext(target + p, left), loadNext(source + i * rowBytes + p, left)), left)
      }
  }
}
