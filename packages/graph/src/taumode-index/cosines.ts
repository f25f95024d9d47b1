import type { DenseMatrix } from '../dense.ts'
import { largestMagnitude } from '../distance.ts'
import { GraphError } from '../errors.ts'
import type { Items } from './items.ts'

/** Length of every row; squares of what is smaller or larger than these leave the range of f64. Throws GraphError with row and value. */
export const rowNorms = (op: string, { data, rows, cols }: DenseMatrix): Float64Array =>
  Float64Array.from({ length: rows }, (_, row) => {
    const largest = largestMagnitude(data, row * cols, (row + 1) * cols)
    if (largest !== 0 && !(largest > 1e-120 && largest < 1e120)) {
      throw new GraphError(
        `${op}: the largest number of a row must be 0 or between 1e-120 and 1e120, got ${largest} in row ${row}; scale the rows`,
      )
    }
    let sum = 0
    for (let n = row * cols; n < (row + 1) * cols; n++) sum += data[n] * data[n]
    return Math.sqrt(sum)
  })

/** cos = u·x / |x| of a unit vector u [D] and every item, in [−1, 1]; 0 for an item of length 0. Every sum is one sequential sum in f64,
 *  four items at a time, so an item's cosine has the same bits in any slot. */
export const cosines = (unit: Float64Array, { vectors, columns, size, dim }: Items): Float64Array => {
  const out = new Float64Array(size)
  let slot = 0
  for (; slot + 4 <= size; slot += 4) {
    const a = slot * dim
    const b = a + dim
    const c = b + dim
    const d = c + dim
    let sumA = 0
    let sumB = 0
    let sumC = 0
    let sumD = 0
    for (let e = 0; e < dim; e++) {
      const u = unit[e]
      sumA += u * vectors[a + e]
      sumB += u * vectors[b + e]
      sumC += u * vectors[c + e]
      sumD += u * vectors[d + e]
    }
    out[slot] = sumA
    out[slot + 1] = sumB
    out[slot + 2] = sumC
    out[slot + 3] = sumD
  }
  for (; slot < size; slot++) {
    let sum = 0
    for (let e = 0; e < dim; e++) sum += unit[e] * vectors[slot * dim + e]
    out[slot] = sum
  }
  const { norm } = columns
  for (let n = 0; n < size; n++) {
    out[n] = norm[n] === 0 ? 0 : Math.min(1, Math.max(-1, out[n] / norm[n]))
  }
  return out
}
