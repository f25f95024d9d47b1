import { Matrix } from 'ml-matrix'
import { type Csr, csrFromDense, toDense } from './csr.ts'

/** Csr → a dense matrix of ml-matrix, for its decompositions. */
export const toMlMatrix = (m: Csr): Matrix => Matrix.from1DArray(m.nRows, m.nCols, toDense(m).data)

/** A matrix of ml-matrix → Csr of the elements that are not zero. */
export const csrFromMlMatrix = (matrix: Matrix): Csr =>
  csrFromDense({ data: Float64Array.from(matrix.to1DArray()), rows: matrix.rows, cols: matrix.columns })
