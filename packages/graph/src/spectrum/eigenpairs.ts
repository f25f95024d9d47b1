import type { DenseMatrix } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import { type Csr, checkCsr, checkFinite, spmv, symmetryError } from '../sparse/csr.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'

/** Eigenvalues and eigenvectors of a symmetric matrix m [n, n], with their errors. */
export interface Eigenpairs {
  /** ascending */
  values: Float64Array
  /** [n, k]: column j belongs to values[j] and has length 1. The first of its components with the largest
   *  magnitude is positive. */
  vectors: DenseMatrix & { data: Float64Array }
  /** |m·x − θx| of every pair, in f64 */
  residuals: Float64Array
  method: 'dense' | 'chebyshev-davidson'
  /** number of products of m and one vector */
  products: number
}

// Differences below this share of the largest value count as rounding.
const ROUNDING = 1e-12

/** Throws GraphError unless m is well formed, square, finite, and symmetric up to rounding. */
export const checkSymmetric = (op: string, m: Csr): void => {
  checkCsr(op, m)
  if (m.nRows !== m.nCols) {
    throw new GraphError(`${op}: the matrix must be square, got [${m.nRows}, ${m.nCols}]`)
  }
  checkFinite(op, m)
  let largest = 0
  for (const value of m.values) largest = Math.max(largest, Math.abs(value))
  const { error, row, col } = symmetryError(m)
  if (error > ROUNDING * largest) {
    throw new GraphError(
      `${op}: the matrix must be symmetric, got |M[${row}, ${col}] - M[${col}, ${row}]| = ${error}; ` +
        "for a random walk use normalization 'symmetric', which has the same eigenvalues",
    )
  }
}

interface Origin extends WatchOptions, Pick<Eigenpairs, 'method' | 'products'> {}

/** Eigenpairs from columns of any length and sign, sorted by their Rayleigh quotients, with their
 *  residuals. */
export const eigenpairsOf = async (
  m: Csr,
  columns: readonly Float64Array[],
  { method, products, ...options }: Origin,
): Promise<Eigenpairs> => {
  const watch = new Watch(options)
  const pairs: { vector: Float64Array; value: number; residual: number }[] = []
  for (const column of columns) {
    const vector = withSign(column)
    const product = spmv(m, vector)
    let value = 0
    for (let i = 0; i < vector.length; i++) value += vector[i] * product[i]
    let square = 0
    for (let i = 0; i < vector.length; i++) square += (product[i] - value * vector[i]) ** 2
    pairs.push({ vector, value, residual: Math.sqrt(square) })
    await watch.turn(pairs.length / columns.length)
  }
  pairs.sort((a, b) => a.value - b.value)
  const data = new Float64Array(m.nRows * pairs.length)
  pairs.forEach(({ vector }, j) => {
    for (let i = 0; i < m.nRows; i++) data[i * pairs.length + j] = vector[i]
  })
  watch.finish()
  return {
    values: Float64Array.from(pairs, ({ value }) => value),
    vectors: { data, rows: m.nRows, cols: pairs.length },
    residuals: Float64Array.from(pairs, ({ residual }) => residual),
    method,
    products: products + pairs.length,
  }
}

const withSign = (column: Float64Array): Float64Array => {
  let square = 0
  let largest = 0
  for (const value of column) {
    square += value * value
    if (Math.abs(value) > Math.abs(largest)) largest = value
  }
  const factor = (largest < 0 ? -1 : 1) / Math.sqrt(square)
  return column.map((value) => value * factor)
}
