import { GraphError } from '../errors.ts'
import { checkDense, type DenseMatrix } from './matrix.ts'

/** Points as callers have them: a row-major matrix, or an array of equally long rows of numbers. */
export type Rows = DenseMatrix | readonly ArrayLike<number>[]

/** The matrix of such points. Throws GraphError for no rows, ragged rows, and numbers that are not finite. */
export const matrixOf = (op: string, points: Rows): DenseMatrix => {
  const matrix = 'data' in points ? points : joined(op, points)
  checkDense(op, matrix)
  return matrix
}

const joined = (op: string, rows: readonly ArrayLike<number>[]): DenseMatrix => {
  const cols = rows.length > 0 ? rows[0].length : 0
  const data = new Float64Array(rows.length * cols)
  for (let i = 0; i < rows.length; i++) {
    if (rows[i].length !== cols) {
      throw new GraphError(
        `${op}: rows must have the same length, got ${cols} in row 0 and ${rows[i].length} in row ${i}; pad or remove that row`,
      )
    }
    data.set(rows[i], i * cols)
  }
  return { data, rows: rows.length, cols }
}
