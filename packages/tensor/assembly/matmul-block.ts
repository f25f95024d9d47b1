// Computes one block of C with the micro-kernel of the build, also at the edges of C.
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

/** {@link block} at an edge of C: only `rows` ≤ MR by `cols` ≤ NR elements of C are read and written. The
 *  whole block is computed in `scratch` (MR × NR floats) first, because panels are padded with zeros but C is
 *  not. */
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
