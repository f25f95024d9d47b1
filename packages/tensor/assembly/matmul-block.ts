// The block of C that is computed at a time: by the micro-kernel of the build, or on a corner of C.
import * as narrow from './matmul-micro'
import * as wide from './matmul-micro-wide'

/** Rows and columns of a block. */
export const MR: i32 = isDefined(WIDE) ? wide.MR : narrow.MR
export const NR: i32 = isDefined(WIDE) ? wide.NR : narrow.NR

// @ts-ignore: decorator
@inline
export function block(depth: i32, a: usize, b: usize, from: usize, fromRow: usize, c: usize, rowBytes: usize): void {
  if (isDefined(WIDE)) wide.microKernelWide(depth, a, b, from, fromRow, c, rowBytes)
  else narrow.microKernel(depth, a, b, from, fromRow, c, rowBytes)
}

/** {@link block} on a corner of C: `rows` ≤ MR by `cols` ≤ NR elements are touched. The whole block is computed into
 *  `scratch` (MR × NR floats) first: panels are padded with zeros, C is not. */
export function blockEdge(
  depth: i32,
  a: usize,
  b: usize,
  from: usize,
  fromRow: usize,
  c: usize,
  rowBytes: usize,
  rows: i32,
  cols: i32,
  scratch: usize,
): void {
  const scratchRow = (<usize>NR) << 2
  copyBlock(from, fromRow, scratch, scratchRow, rows, cols)
  block(depth, a, b, scratch, scratchRow, scratch, scratchRow)
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
