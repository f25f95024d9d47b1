import { GraphError } from '../errors.ts'

/** Row-major matrix: element (i, j) is `data[i * cols + j]`. Rows are items or samples, columns are
 *  features. */
export interface DenseMatrix {
  data: Float64Array | Float32Array
  rows: number
  cols: number
}

/** Throws unless every element of a well-formed matrix is finite. */
export const checkFiniteElements = (op: string, { data, cols }: DenseMatrix): void => {
  if (allFinite(data)) return
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      throw new GraphError(
        `${op}: every element must be finite, got ${data[i]} at row ${Math.floor(i / cols)}, column ${i % cols}; ` +
          'remove or repair that row',
      )
    }
  }
}

/** Whether no element is NaN or infinite. Then every 0·x is 0, and so is their sum. Four sums at a time take
 *  a quarter of the time of one. */
export const allFinite = (data: Float64Array | Float32Array): boolean => {
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  for (; i + 4 <= data.length; i += 4) {
    a += 0 * data[i]
    b += 0 * data[i + 1]
    c += 0 * data[i + 2]
    d += 0 * data[i + 3]
  }
  for (; i < data.length; i++) a += 0 * data[i]
  return a + b + c + d === 0
}

/** Throws unless there is at least one row and one column, and `length` is rows × cols. */
export const checkDenseShape = (
  op: string,
  { data, rows, cols }: DenseMatrix,
  length: number = data.length,
): void => {
  if (!Number.isSafeInteger(cols) || cols < 1 || !(rows > 0)) {
    throw new GraphError(`${op}: a matrix needs at least one row and one column, got [${rows}, ${cols}]`)
  }
  if (!Number.isSafeInteger(rows) || length !== rows * cols) {
    throw new GraphError(
      `${op}: data must hold rows × cols = ${rows} × ${cols} = ${rows * cols} elements, got ${length}`,
    )
  }
}

/** Throws unless `value` is an integer in [low, high]. `advice` ends the message. */
export const checkInteger = (
  op: string,
  name: string,
  value: number,
  low: number,
  high: number,
  advice: string,
): void => {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    const range = high === Number.MAX_SAFE_INTEGER ? `at least ${low}` : `between ${low} and ${high}`
    throw new GraphError(`${op}: ${name} must be an integer ${range}, got ${value}; ${advice}`)
  }
}

/** Throws unless `value` is a finite number above zero. */
export const checkPositive = (op: string, name: string, value: number): void => {
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new GraphError(`${op}: ${name} must be a positive finite number, got ${value}`)
  }
}
