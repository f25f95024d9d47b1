import { fma, splat } from './simd'

/** Rows and columns of the block of C that one call of {@link microKernel} holds in registers. */
export const MR: i32 = 6
export const NR: i32 = 8

/** C[0…6, 0…8] = (C if `accumulate`) + Σ_k a[k]·b[k]ᵀ for k < `depth`: one rank-1 update a step.
 *  `a` is a packed panel [depth, 6], `b` a packed panel [depth, 8] (matmul-pack.ts); C has rows of `rowBytes` bytes.
 *  depth 0 stores zeros, or leaves C as it is. Each element is summed in the order of k.
 *
 *  Registers: 6 × 2 accumulators, two vectors of b and one broadcast of a are 15 of the 16 that SSE and AVX have, so nothing
 *  spills. A broadcast is a load that pairs with the multiply, hence 12 FMAs for 8 loads: the FMA units stay the limit.
 *  Unrolling over k lost 20 % or more (the engine's allocator starts to spill), as did 4 × 12, 8 × 8 and 12 × 4. */
export function microKernel(depth: i32, a: usize, b: usize, c: usize, rowBytes: usize, accumulate: bool): void {
  let c00 = splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  let c40 = c00
  let c41 = c00
  let c50 = c00
  let c51 = c00
  let row = c
  if (accumulate) {
    c00 = v128.load(row)
    c01 = v128.load(row, 16)
    row += rowBytes
    c10 = v128.load(row)
    c11 = v128.load(row, 16)
    row += rowBytes
    c20 = v128.load(row)
    c21 = v128.load(row, 16)
    row += rowBytes
    c30 = v128.load(row)
    c31 = v128.load(row, 16)
    row += rowBytes
    c40 = v128.load(row)
    c41 = v128.load(row, 16)
    row += rowBytes
    c50 = v128.load(row)
    c51 = v128.load(row, 16)
  }
  for (let k = 0; k < depth; k++) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    let x = v128.load32_splat(a)
    c00 = fma(x, b0, c00)
    c01 = fma(x, b1, c01)
    x = v128.load32_splat(a, 4)
    c10 = fma(x, b0, c10)
    c11 = fma(x, b1, c11)
    x = v128.load32_splat(a, 8)
    c20 = fma(x, b0, c20)
    c21 = fma(x, b1, c21)
    x = v128.load32_splat(a, 12)
    c30 = fma(x, b0, c30)
    c31 = fma(x, b1, c31)
    x = v128.load32_splat(a, 16)
    c40 = fma(x, b0, c40)
    c41 = fma(x, b1, c41)
    x = v128.load32_splat(a, 20)
    c50 = fma(x, b0, c50)
    c51 = fma(x, b1, c51)
    a += 24
    b += 32
  }
  row = c
  v128.store(row, c00)
  v128.store(row, c01, 16)
  row += rowBytes
  v128.store(row, c10)
  v128.store(row, c11, 16)
  row += rowBytes
  v128.store(row, c20)
  v128.store(row, c21, 16)
  row += rowBytes
  v128.store(row, c30)
  v128.store(row, c31, 16)
  row += rowBytes
  v128.store(row, c40)
  v128.store(row, c41, 16)
  row += rowBytes
  v128.store(row, c50)
  v128.store(row, c51, 16)
}

/** {@link microKernel} on a corner of C: `rows` ≤ 6 by `cols` ≤ 8 elements are touched. The whole block is computed into
 *  `scratch` (192 bytes) first: panels are padded with zeros, C is not. */
export function microKernelEdge(
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  rowBytes: usize,
  accumulate: bool,
  rows: i32,
  cols: i32,
  scratch: usize,
): void {
  const scratchRow = (<usize>NR) << 2
  if (accumulate) copyBlock(c, rowBytes, scratch, scratchRow, rows, cols)
  microKernel(depth, a, b, scratch, scratchRow, accumulate)
  copyBlock(scratch, scratchRow, c, rowBytes, rows, cols)
}

function copyBlock(source: usize, sourceRow: usize, target: usize, targetRow: usize, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; i++) {
    let j: usize = 0
    const bytes = (<usize>cols) << 2
    for (; j + 16 <= bytes; j += 16) v128.store(target + j, v128.load(source + j))
    for (; j < bytes; j += 4) store<f32>(target + j, load<f32>(source + j))
    source += sourceRow
    target += targetRow
  }
}
