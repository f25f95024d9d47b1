import { GraphError, nameOf } from '../errors.ts'
import { checkDenseShape, checkFiniteElements, type DenseMatrix } from './matrix.ts'

/** Points as callers have them: an array of equally long rows, or a row-major matrix `{ data, cols }` with or
 *  without `rows`. In every form a row is a point. */
export type Points = readonly ArrayLike<number>[] | FlatPoints

/** Rows of `cols` numbers, one after the other in `data`. f32 and f64 arrays are used as they are; other
 *  numbers are copied to f64. */
export interface FlatPoints {
  data: ArrayLike<number>
  cols: number
  /** data.length / cols unless given */
  rows?: number
}

/** The matrix of such points. Throws GraphError for anything else, ragged rows, no rows, and numbers that are
 *  not finite. */
export const matrixOf = (op: string, points: Points): DenseMatrix => {
  const matrix = shapedMatrixOf(op, points)
  checkFiniteElements(op, matrix)
  return matrix
}

/** The matrix of such points, which may hold NaN and infinities. */
export const shapedMatrixOf = (op: string, points: Points): DenseMatrix => {
  if (Array.isArray(points)) return joined(op, points)
  if (typeof points !== 'object' || points === null || !('data' in points)) {
    throw new GraphError(
      `${op}: points must be rows [[…], …] or a matrix { data, cols }, got ${nameOf(points)}; say how many columns a list of numbers has`,
    )
  }
  const { data, cols, rows = data?.length / cols } = points
  if (typeof data !== 'object' || data === null) {
    throw new GraphError(`${op}: data must be an array of numbers, got ${nameOf(data)}`)
  }
  const isKept = data instanceof Float64Array || data instanceof Float32Array
  const matrix = { data: isKept ? data : new Float64Array(0), rows, cols }
  checkDenseShape(op, matrix, data.length)
  return isKept ? matrix : { ...matrix, data: Float64Array.from(data) }
}

const joined = (op: string, rows: readonly ArrayLike<number>[]): DenseMatrix => {
  const cols = rows.length > 0 ? rows[0]?.length : 0
  const data = new Float64Array(Number.isSafeInteger(cols) ? rows.length * cols : 0)
  for (let i = 0; i < rows.length; i++) {
    if (typeof rows[i] !== 'object' || rows[i] === null) {
      throw new GraphError(
        `${op}: every row must be an array of numbers, got ${nameOf(rows[i])} as row ${i}; pass [[…], …] or { data, cols }`,
      )
    }
    if (rows[i].length !== cols) {
      throw new GraphError(
        `${op}: rows must have the same length, got ${cols} in row 0 and ${rows[i].length} in row ${i}; pad or remove that row`,
      )
    }
    data.set(rows[i], i * cols)
  }
  const matrix = { data, rows: rows.length, cols }
  checkDenseShape(op, matrix)
  return matrix
}
