import { Matrix } from 'ml-matrix'
import { GraphError, nameOf } from '../errors.ts'
import { type Csr, csrFromDense, toDense } from './csr.ts'

/** Csr → a dense matrix of ml-matrix, for its decompositions. */
export const toMlMatrix = (m: Csr): Matrix => {
  const { data, rows, cols } = toDense(m)
  return Matrix.from1DArray(rows, cols, data)
}

/** A matrix of ml-matrix → Csr of the elements that are not zero. */
export const csrFromMlMatrix = (matrix: Matrix): Csr => {
  if (typeof matrix?.to1DArray !== 'function') {
    throw new GraphError(`csrFromMlMatrix: the matrix must be one of ml-matrix, got ${nameOf(matrix)}`)
  }
  return csrFromDense({ data: Float64Array.from(matrix.to1DArray()), cols: matrix.columns })
}
