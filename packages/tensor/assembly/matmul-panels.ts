import { block, blockEdge, MR, NR } from './matmul-block'

/** Scratch of {@link multiplyPanels}: a block at a corner of C, then a row of zeros, in whole cache lines. */
export const EDGE_BYTES: usize = (((<usize>((MR + 1) * NR)) << 2) + 63) & ~63

/** C[rows, cols] = `from` + packed A · packed B. `from` is laid out like C, with rows of `fromRow` bytes: C itself to go on with
 *  a sum, anything of its size to add it, or 0 to begin one. Only elements of C are touched. A panel of B meets all panels of
 *  A before the next one is read. `depth` is at least 1, `scratch` has EDGE_BYTES. */
export function multiplyPanels(
  packedA: usize,
  packedB: usize,
  from: usize,
  fromRow: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  cols: i32,
  depth: i32,
  scratch: usize,
): void {
  const panelA = (<usize>(MR * depth)) << 2
  const panelB = (<usize>(NR * depth)) << 2
  const zeros = scratch + ((<usize>(MR * NR)) << 2)
  const fresh = from == 0
  if (fresh) memory.fill(zeros, 0, (<usize>NR) << 2)
  const step = fresh ? 0 : fromRow
  for (let j = 0; j < cols; j += NR) {
    const width = min(NR, cols - j)
    const column = (<usize>j) << 2
    let panel = packedA
    let target = c + column
    let start = fresh ? zeros : from + column
    for (let i = 0; i < rows; i += MR) {
      const height = min(MR, rows - i)
      if (width == NR && height == MR) block(depth, panel, packedB, start, step, target, cRow)
      else blockEdge(depth, panel, packedB, start, step, target, cRow, height, width, scratch)
      panel += panelA
      target += (<usize>MR) * cRow
      start += (<usize>MR) * step
    }
    packedB += panelB
  }
}
