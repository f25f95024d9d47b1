// Products in which one side of C is short: too few rows (or columns) to make packing pay. The long operand W is read once,
// where it lies, at the speed of memory; the short one, X, stays in the first-level cache.
//
// Both kernels compute C(i, j) = Σ_k X(i, k)·W(j, k) for i < few, j < many. Steps say where things are, in elements:
// X(i, k) at i·xFew + k·xDepth, C(i, j) at i·outFew + j·outMany. The items are chunks of `chunk` values of j, for every
// matrix of the batch.
import { fma, splat, sumLanes } from './simd'
import { workspace } from './workspace'

/** W has rows along k: dot products, four rows of W against one or two of X. A dot product sums over two vectors (one row of
 *  X) or one (two rows) of four lanes, then the tail. few · k ≤ 2²⁰ unless xDepth is 1: X is transposed into the workspace. */
export function matmulDots(
  x: usize,
  w: usize,
  out: usize,
  few: i32,
  many: i32,
  k: i32,
  strideX: usize,
  strideW: usize,
  xFew: usize,
  xDepth: usize,
  outFew: usize,
  outMany: usize,
  chunk: i32,
  begin: i32,
  end: i32,
): void {
  const chunks = (many + chunk - 1) / chunk
  const bytes = (<usize>k) << 2
  for (let item = begin; item < end; item++) {
    const z: usize = item / chunks
    const first = (item % chunks) * chunk
    const last = min(first + chunk, many)
    let rows = x + ((z * strideX) << 2)
    let rowBytes = xFew << 2
    if (xDepth != 1) {
      gatherRows(rows, xFew << 2, xDepth << 2, few, k, workspace())
      rows = workspace()
      rowBytes = bytes
    }
    const matrix = w + ((z * strideW) << 2)
    const target = out + ((z * <usize>few * <usize>many) << 2)
    for (let j = first; j < last; j += 4) {
      // Past the end the last row is read again, and not stored.
      const w0 = matrix + <usize>j * bytes
      const w1 = matrix + <usize>min(j + 1, last - 1) * bytes
      const w2 = matrix + <usize>min(j + 2, last - 1) * bytes
      const w3 = matrix + <usize>min(j + 3, last - 1) * bytes
      const count = min(4, last - j)
      let row = rows
      let c = target + ((<usize>j * outMany) << 2)
      let i = 0
      for (; i + 2 <= few; i += 2) {
        dots2x4(row, row + rowBytes, w0, w1, w2, w3, bytes, c, outFew << 2, outMany << 2, count)
        row += rowBytes << 1
        c += outFew << 3
      }
      if (i < few) dots1x4(row, w0, w1, w2, w3, bytes, c, outMany << 2, count)
    }
  }
}

/** Bound by memory, so two vectors a sum: eight FMAs in flight hide their latency. */
function dots1x4(
  x: usize,
  w0: usize,
  w1: usize,
  w2: usize,
  w3: usize,
  bytes: usize,
  c: usize,
  step: usize,
  count: i32,
): void {
  let a0 = splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let b0 = a0
  let b1 = a0
  let b2 = a0
  let b3 = a0
  let k: usize = 0
  for (; k + 32 <= bytes; k += 32) {
    const v = v128.load(x + k)
    a0 = fma(v, v128.load(w0 + k), a0)
    a1 = fma(v, v128.load(w1 + k), a1)
    a2 = fma(v, v128.load(w2 + k), a2)
    a3 = fma(v, v128.load(w3 + k), a3)
    const u = v128.load(x + k, 16)
    b0 = fma(u, v128.load(w0 + k, 16), b0)
    b1 = fma(u, v128.load(w1 + k, 16), b1)
    b2 = fma(u, v128.load(w2 + k, 16), b2)
    b3 = fma(u, v128.load(w3 + k, 16), b3)
  }
  let s0 = sumLanes(f32x4.add(a0, b0))
  let s1 = sumLanes(f32x4.add(a1, b1))
  let s2 = sumLanes(f32x4.add(a2, b2))
  let s3 = sumLanes(f32x4.add(a3, b3))
  for (; k < bytes; k += 4) {
    const v = load<f32>(x + k)
    s0 += v * load<f32>(w0 + k)
    s1 += v * load<f32>(w1 + k)
    s2 += v * load<f32>(w2 + k)
    s3 += v * load<f32>(w3 + k)
  }
  store4(c, step, count, s0, s1, s2, s3)
}

function dots2x4(
  x0: usize,
  x1: usize,
  w0: usize,
  w1: usize,
  w2: usize,
  w3: usize,
  bytes: usize,
  c: usize,
  row: usize,
  step: usize,
  count: i32,
): void {
  let a0 = splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let b0 = a0
  let b1 = a0
  let b2 = a0
  let b3 = a0
  let k: usize = 0
  for (; k + 16 <= bytes; k += 16) {
    const v = v128.load(x0 + k)
    const u = v128.load(x1 + k)
    let y = v128.load(w0 + k)
    a0 = fma(v, y, a0)
    b0 = fma(u, y, b0)
    y = v128.load(w1 + k)
    a1 = fma(v, y, a1)
    b1 = fma(u, y, b1)
    y = v128.load(w2 + k)
    a2 = fma(v, y, a2)
    b2 = fma(u, y, b2)
    y = v128.load(w3 + k)
    a3 = fma(v, y, a3)
    b3 = fma(u, y, b3)
  }
  let s0 = sumLanes(a0)
  let s1 = sumLanes(a1)
  let s2 = sumLanes(a2)
  let s3 = sumLanes(a3)
  let t0 = sumLanes(b0)
  let t1 = sumLanes(b1)
  let t2 = sumLanes(b2)
  let t3 = sumLanes(b3)
  for (; k < bytes; k += 4) {
    const v = load<f32>(x0 + k)
    const u = load<f32>(x1 + k)
    let y = load<f32>(w0 + k)
    s0 += v * y
    t0 += u * y
    y = load<f32>(w1 + k)
    s1 += v * y
    t1 += u * y
    y = load<f32>(w2 + k)
    s2 += v * y
    t2 += u * y
    y = load<f32>(w3 + k)
    s3 += v * y
    t3 += u * y
  }
  store4(c, step, count, s0, s1, s2, s3)
  store4(c + row, step, count, t0, t1, t2, t3)
}

function store4(c: usize, step: usize, count: i32, s0: f32, s1: f32, s2: f32, s3: f32): void {
  store<f32>(c, s0)
  if (count > 1) store<f32>(c + step, s1)
  if (count > 2) store<f32>(c + 2 * step, s2)
  if (count > 3) store<f32>(c + 3 * step, s3)
}

function gatherRows(x: usize, fewBytes: usize, depthBytes: usize, few: i32, k: i32, target: usize): void {
  for (let i = 0; i < few; i++) {
    let from = x + <usize>i * fewBytes
    for (let l = 0; l < k; l++) {
      store<f32>(target, load<f32>(from))
      from += depthBytes
      target += 4
    }
  }
}

/** W lies [k, many]: rows of W, scaled by X(i, k), are added up in the workspace, eight at a time, and copied to C.
 *  chunk · few ≤ 2²⁰. */
export function matmulAxpys(
  x: usize,
  w: usize,
  out: usize,
  few: i32,
  many: i32,
  k: i32,
  strideX: usize,
  strideW: usize,
  xFew: usize,
  xDepth: usize,
  outFew: usize,
  outMany: usize,
  chunk: i32,
  begin: i32,
  end: i32,
): void {
  const chunks = (many + chunk - 1) / chunk
  const rowBytes = (<usize>many) << 2
  const step = xDepth << 2
  const sums = workspace()
  for (let item = begin; item < end; item++) {
    const z: usize = item / chunks
    const first = (item % chunks) * chunk
    const width = min(chunk, many - first)
    const bytes = (<usize>width) << 2
    const factors = x + ((z * strideX) << 2)
    let row = w + ((z * strideW + <usize>first) << 2)
    memory.fill(sums, 0, <usize>few * bytes)
    let l = 0
    for (; l + 8 <= k; l += 8) {
      for (let i = 0; i < few; i++)
        axpy8(factors + ((<usize>i * xFew + <usize>l * xDepth) << 2), step, row, rowBytes, sums + <usize>i * bytes, bytes)
      row += rowBytes << 3
    }
    for (; l < k; l++) {
      for (let i = 0; i < few; i++)
        axpy1(load<f32>(factors + ((<usize>i * xFew + <usize>l * xDepth) << 2)), row, sums + <usize>i * bytes, bytes)
      row += rowBytes
    }
    const target = out + ((z * <usize>few * <usize>many + <usize>first * outMany) << 2)
    for (let i = 0; i < few; i++)
      scatterRow(sums + <usize>i * bytes, width, target + ((<usize>i * outFew) << 2), outMany << 2)
  }
}

/** sums += Σ x_l·row_l over eight rows, as (sums + x₀…x₃) + (x₄…x₇): two chains hide the latency of the FMAs. */
function axpy8(x: usize, step: usize, row: usize, rowBytes: usize, sums: usize, bytes: usize): void {
  const x0 = v128.load32_splat(x)
  const x1 = v128.load32_splat(x + step)
  const x2 = v128.load32_splat(x + 2 * step)
  const x3 = v128.load32_splat(x + 3 * step)
  const x4 = v128.load32_splat(x + 4 * step)
  const x5 = v128.load32_splat(x + 5 * step)
  const x6 = v128.load32_splat(x + 6 * step)
  const x7 = v128.load32_splat(x + 7 * step)
  const row2 = 2 * rowBytes
  const row3 = 3 * rowBytes
  const half = 4 * rowBytes
  const end = sums + bytes
  for (; sums + 16 <= end; sums += 16) {
    const next = row + half
    let a = fma(x0, v128.load(row), v128.load(sums))
    let b = f32x4.mul(x4, v128.load(next))
    a = fma(x1, v128.load(row + rowBytes), a)
    b = fma(x5, v128.load(next + rowBytes), b)
    a = fma(x2, v128.load(row + row2), a)
    b = fma(x6, v128.load(next + row2), b)
    a = fma(x3, v128.load(row + row3), a)
    b = fma(x7, v128.load(next + row3), b)
    v128.store(sums, f32x4.add(a, b))
    row += 16
  }
  for (; sums < end; sums += 4) {
    const next = row + half
    let a = load<f32>(sums) + load<f32>(x) * load<f32>(row)
    let b = load<f32>(x + 4 * step) * load<f32>(next)
    a += load<f32>(x + step) * load<f32>(row + rowBytes)
    b += load<f32>(x + 5 * step) * load<f32>(next + rowBytes)
    a += load<f32>(x + 2 * step) * load<f32>(row + row2)
    b += load<f32>(x + 6 * step) * load<f32>(next + row2)
    a += load<f32>(x + 3 * step) * load<f32>(row + row3)
    b += load<f32>(x + 7 * step) * load<f32>(next + row3)
    store<f32>(sums, a + b)
    row += 4
  }
}

function axpy1(x: f32, row: usize, sums: usize, bytes: usize): void {
  const factor = splat(x)
  const end = sums + bytes
  for (; sums + 16 <= end; sums += 16) {
    v128.store(sums, fma(factor, v128.load(row), v128.load(sums)))
    row += 16
  }
  for (; sums < end; sums += 4) {
    store<f32>(sums, load<f32>(sums) + x * load<f32>(row))
    row += 4
  }
}

function scatterRow(source: usize, width: i32, target: usize, step: usize): void {
  if (step == 4) {
    memory.copy(target, source, (<usize>width) << 2)
    return
  }
  for (let j = 0; j < width; j++) {
    store<f32>(target, load<f32>(source))
    source += 4
    target += step
  }
}
