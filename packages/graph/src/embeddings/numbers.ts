import { FormatError } from '@tau/tensor'
import type { DenseMatrix } from '../dense.ts'

/** Checks that a file's matrix has rows, columns, and only finite elements. */
export const checkEmbeddings = (op: string, x: DenseMatrix): DenseMatrix => {
  if (x.rows < 1 || x.cols < 1) {
    throw new FormatError(
      `${op}: embeddings need at least one row and one column, got [${x.rows}, ${x.cols}]`,
    )
  }
  const bad = x.data.findIndex((v) => !Number.isFinite(v))
  if (bad >= 0) {
    throw new FormatError(
      `${op}: every element must be finite, got ${x.data[bad]} at row ${Math.floor(bad / x.cols)}, column ${bad % x.cols}`,
    )
  }
  return x
}
