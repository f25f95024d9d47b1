// Products in which one side of C is short, so few rows (or columns) that packing does not pay. The long
// operand W is read once, in place, at the speed of memory. The short operand X stays in the first-level
// cache.
//
// Both kernels compute C(i, j) = (C(i, j) if `accumulate`) + Σ_k X(i, k)·W(j, k) for i < few, j < many. Steps
// are in elements: X(i, k) lies at i·xFew + k·xDepth, C(i, j) at i·outFew + j·outMany. The items are chunks
// of `chunk` values of j, for every matrix of the batch.
import { fma, loadPart, splat, sumLanes } from './simd'
import { workspace } from './workspace'

/** The kernel if the rows of W lie along k: dot products. It takes the rows of W one by one in the order of
 *  memory, each with one, four or eight rows of X. Several rows of W at a time run at half the speed, because
 *  short streams defeat the prefetcher. Two or more rows of X are first packed into the workspace: ⌈few / 4⌉
 *  · 4 · (k + 3) ≤ 2²⁰ floats. */
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
  accumulate: bool,
  begin: i32,
  end: i32,
): void {
  const chunks = (many + chunk - 1) / chunk
  const rowBytes = (<usize>k) << 2
  const step = outFew << 2
  for (let item = begin; item < end; item++) {
    const z: usize = item / chunks
    const first = (item % chunks) * chunk
    const last = min(first + chunk, many)
    let rows = x + ((z * strideX) << 2)
    if (few > 1) {
      packRows(rows, xFew << 2, xDepth << 2, few, k, workspace())
      rows = workspace()
    }
    let row = w + ((z * strideW + <usize>first * <usize>k) << 2)
    let target = out + ((z * <usize>few * <usize>many + <usize>first * outMany) << 2)
    if (few == 1) {
      const half = (last - first) >> 1
      for (let j = 0; j < half; j++) {
        const other = row + <usize>half * rowBytes
        dot1x2(rows, row, other, rowBytes, target, target + ((<usize>half * outMany) << 2), accumulate)
        row += rowBytes
        target += outMany << 2
      }
      if ((last - first) & 1) {
        row += <usize>half * rowBytes
        target += (<usize>half * outMany) << 2
        storeSum(target, dot1(rows, row, rowBytes), accumulate)
      }
      continue
    }
    for (let j = first; j < last; j++) {
      let packed = rows
      let c = target
      for (let left = few; left > 0; left -= 8) {
        if (left > 4) dots8(packed, row, rowBytes, c, step, min(8, left), accumulate)
        else dots4(packed, row, rowBytes, c, step, left, accumulate)
        packed += ((rowBytes + 15) >> 4) << 7
        c += step << 3
      }
      row += rowBytes
      target += outMany << 2
    }
  }
}

/** Packs rows of X in groups of eight (four, if at most four are left). Each group is stored [⌈k / 4⌉, rows,
 *  4]. Missing rows and places beyond k are zeros. */
function packRows(x: usize, fewBytes: usize, depthBytes: usize, few: i32, k: i32, target: usize): void {
  const steps = (k + 3) >> 2
  for (let first = 0; first < few; first += 8) {
    const group = few - first > 4 ? 8 : 4
    const groupBytes = (<usize>group) << 4
    for (let i = 0; i < group; i++) {
      let to = target + ((<usize>i) << 4)
      if (first + i >= few) {
        for (let s = 0; s < steps; s++) {
          v128.store(to, splat(0))
          to += groupBytes
        }
        continue
      }
      let from = x + <usize>(first + i) * fewBytes
      let l = 0
      if (depthBytes == 4)
        for (; l + 4 <= k; l += 4) {
          v128.store(to, v128.load(from))
          from += 16
          to += groupBytes
        }
      for (; l < k; l += 4) {
        v128.store(to, splat(0))
        for (let lane = 0; lane < min(4, k - l); lane++) {
          store<f32>(to + ((<usize>lane) << 2), load<f32>(from))
          from += depthBytes
        }
        to += groupBytes
      }
    }
    target += (<usize>steps) * groupBytes
  }
}

/** The last one to three floats of a row, then zeros. It reads nothing beyond the row, because a NaN may be
 *  there. Not inlined. */
function loadTail(row: usize, bytes: usize): v128 {
  return loadPart(row, bytes)
}

/** x · w in four vectors of lanes. */
function dot1(x: usize, w: usize, bytes: usize): f32 {
  let a = splat(0)
  let b = a
  let c = a
  let d = a
  let k: usize = 0
  for (; k + 64 <= bytes; k += 64) {
    a = fma(v128.load(x + k), v128.load(w + k), a)
    b = fma(v128.load(x + k, 16), v128.load(w + k, 16), b)
    c = fma(v128.load(x + k, 32), v128.load(w + k, 32), c)
    d = fma(v128.load(x + k, 48), v128.load(w + k, 48), d)
  }
  for (; k + 16 <= bytes; k += 16) a = fma(v128.load(x + k), v128.load(w + k), a)
  if (k < bytes) a = fma(loadTail(x + k, bytes - k), loadTail(w + k, bytes - k), a)
  return sumLanes(f32x4.add(f32x4.add(a, c), f32x4.add(b, d)))
}

/** Two such products, for rows w and v that lie far apart. Two long streams fetch more memory at once than
 *  one. */
function dot1x2(x: usize, w: usize, v: usize, bytes: usize, target: usize, other: usize, accumulate: bool): void {
  let a = splat(0)
  let b = a
  let c = a
  let d = a
  let e = a
  let f = a
  let g = a
  let h = a
  let k: usize = 0
  for (; k + 64 <= bytes; k += 64) {
    const x0 = v128.load(x + k)
    const x1 = v128.load(x + k, 16)
    const x2 = v128.load(x + k, 32)
    const x3 = v128.load(x + k, 48)
    a = fma(x0, v128.load(w + k), a)
    e = fma(x0, v128.load(v + k), e)
    b = fma(x1, v128.load(w + k, 16), b)
    f = fma(x1, v128.load(v + k, 16), f)
    c = fma(x2, v128.load(w + k, 32), c)
    g = fma(x2, v128.load(v + k, 32), g)
    d = fma(x3, v128.load(w + k, 48), d)
    h = fma(x3, v128.load(v + k, 48), h)
  }
  for (; k + 16 <= bytes; k += 16) {
    const x0 = v128.load(x + k)
    a = fma(x0, v128.load(w + k), a)
    e = fma(x0, v128.load(v + k), e)
  }
  if (k < bytes) {
    const x0 = loadTail(x + k, bytes - k)
    a = fma(x0, loadTail(w + k, bytes - k), a)
    e = fma(x0, loadTail(v + k, bytes - k), e)
  }
  storeSum(target, sumLanes(f32x4.add(f32x4.add(a, c), f32x4.add(b, d))), accumulate)
  storeSum(other, sumLanes(f32x4.add(f32x4.add(e, g), f32x4.add(f, h))), accumulate)
}

/** Four packed rows of X times w, in two vectors of lanes each. The first `count` sums are stored, `step`
 *  bytes apart. */
function dots4(
  x: usize,
  w: usize,
  bytes: usize,
  out: usize,
  step: usize,
  count: i32,
  accumulate: bool,
): void {
  let a0 = splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let b0 = a0
  let b1 = a0
  let b2 = a0
  let b3 = a0
  let end = w + (bytes & ~31)
  while (w < end) {
    let v = v128.load(w)
    a0 = fma(v, v128.load(x), a0)
    a1 = fma(v, v128.load(x, 16), a1)
    a2 = fma(v, v128.load(x, 32), a2)
    a3 = fma(v, v128.load(x, 48), a3)
    v = v128.load(w, 16)
    b0 = fma(v, v128.load(x, 64), b0)
    b1 = fma(v, v128.load(x, 80), b1)
    b2 = fma(v, v128.load(x, 96), b2)
    b3 = fma(v, v128.load(x, 112), b3)
    w += 32
    x += 128
  }
  let left = bytes & 31
  while (left > 0) {
    const v = left < 16 ? loadTail(w, left) : v128.load(w)
    a0 = fma(v, v128.load(x), a0)
    a1 = fma(v, v128.load(x, 16), a1)
    a2 = fma(v, v128.load(x, 32), a2)
    a3 = fma(v, v128.load(x, 48), a3)
    w += 16
    x += 64
    left -= min(left, 16)
  }
  a0 = f32x4.add(a0, b0)
  a1 = f32x4.add(a1, b1)
  a2 = f32x4.add(a2, b2)
  a3 = f32x4.add(a3, b3)
  storeSums(a0, a1, a2, a3, out, step, count, accumulate)
}

/** Eight packed rows of X times w. The first `count` sums are stored, `step` bytes apart. */
function dots8(
  x: usize,
  w: usize,
  bytes: usize,
  out: usize,
  step: usize,
  count: i32,
  accumulate: bool,
): void {
  let a0 = splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let a4 = a0
  let a5 = a0
  let a6 = a0
  let a7 = a0
  let left = bytes
  while (left > 0) {
    const v = left < 16 ? loadTail(w, left) : v128.load(w)
    a0 = fma(v, v128.load(x), a0)
    a1 = fma(v, v128.load(x, 16), a1)
    a2 = fma(v, v128.load(x, 32), a2)
    a3 = fma(v, v128.load(x, 48), a3)
    a4 = fma(v, v128.load(x, 64), a4)
    a5 = fma(v, v128.load(x, 80), a5)
    a6 = fma(v, v128.load(x, 96), a6)
    a7 = fma(v, v128.load(x, 112), a7)
    w += 16
    x += 128
    left -= min(left, 16)
  }
  storeSums(a0, a1, a2, a3, out, step, 4, accumulate)
  storeSums(a4, a5, a6, a7, out + (step << 2), step, count - 4, accumulate)
}

function storeSums(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  out: usize,
  step: usize,
  count: i32,
  accumulate: bool,
): void {
  storeSum(out, sumLanes(a), accumulate)
  if (count > 1) storeSum(out + step, sumLanes(b), accumulate)
  if (count > 2) storeSum(out + step * 2, sumLanes(c), accumulate)
  if (count > 3) storeSum(out + step * 3, sumLanes(d), accumulate)
}

// @ts-ignore: decorator
@inline
function storeSum(out: usize, sum: f32, accumulate: bool): void {
  store<f32>(out, accumulate ? load<f32>(out) + sum : sum)
}

/** The kernel if W is stored [k, many]. It adds rows of W, scaled by X(i, k), in the workspace, eight at a
 *  time, and copies the sums to C. chunk · few ≤ 2²⁰. */
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
  accumulate: bool,
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
    const target = out + ((z * <usize>few * <usize>many + <usize>first * outMany) << 2)
    if (!accumulate) memory.fill(sums, 0, <usize>few * bytes)
    else
      for (let i = 0; i < few; i++)
        copyRow(target + ((<usize>i * outFew) << 2), outMany << 2, sums + <usize>i * bytes, 4, width)
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
    for (let i = 0; i < few; i++)
      copyRow(sums + <usize>i * bytes, 4, target + ((<usize>i * outFew) << 2), outMany << 2, width)
  }
}

/** sums += Σ x_l·row_l over eight rows, as (sums + x₀…x₃) + (x₄…x₇). Two chains hide the latency of the
 *  FMAs. */
function axpy8(x: usize, step: usize, row: usize, rowBytes: usize, sums: usize, bytes: usize): void {
  const x0 = v128.load32_splat(x)
  const x1 = v128.load32_splat(x + step)
  const x2 = v128.load32_splat(x + step * 2)
  const x3 = v128.load32_splat(x + step * 3)
  const x4 = v128.load32_splat(x + step * 4)
  const x5 = v128.load32_splat(x + step * 5)
  const x6 = v128.load32_splat(x + step * 6)
  const x7 = v128.load32_splat(x + step * 7)
  const row2 = rowBytes * 2
  const row3 = rowBytes * 3
  const half = rowBytes * 4
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
    let b = load<f32>(x + step * 4) * load<f32>(next)
    a += load<f32>(x + step) * load<f32>(row + rowBytes)
    b += load<f32>(x + step * 5) * load<f32>(next + rowBytes)
    a += load<f32>(x + step * 2) * load<f32>(row + row2)
    b += load<f32>(x + step * 6) * load<f32>(next + row2)
    a += load<f32>(x + step * 3) * load<f32>(row + row3)
    b += load<f32>(x + step * 7) * load<f32>(next + row3)
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

/** Copies `width` elements, `sourceStep` and `targetStep` bytes apart. */
function copyRow(source: usize, sourceStep: usize, target: usize, targetStep: usize, width: i32): void {
  if (sourceStep == 4 && targetStep == 4) {
    memory.copy(target, source, (<usize>width) << 2)
    return
  }
  for (let j = 0; j < width; j++) {
    store<f32>(target, load<f32>(source))
    source += sourceStep
    target += targetStep
  }
}
