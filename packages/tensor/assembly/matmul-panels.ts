import { block, blockEdge, MR, NR } from './matmul-block'

/** Bytes of scratch for {@link multiplyPanels}: a block for the edges of C, then a row of zeros, in whole
 *  cache lines. */
export const EDGE_BYTES: usize = (((<usize>((MR + 1) * NR)) << 2) + 63) & ~63

/** C[rows, cols] = `from` + packed A · packed B. `from` has the layout of C with rows of `fromRow` bytes: C
 *  itself continues a sum, another matrix of the same size is added, and 0 begins a sum. Only elements of C
 *  are written. Each panel of B meets all panels of A before the next panel of B is read. `depth` is at least
 *  1; `scratch` has EDGE_BYTES bytes. */
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
