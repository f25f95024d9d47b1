import { checkOptions, GraphError } from '../errors.ts'
import { type Csr, checkCsr } from './csr.ts'

/** Rows and columns of m by their indices, in the order of the lists: element (i, j) of the result is
 *  m[rows[i], cols[j]]. A missing list means all of them. A row may be listed twice, but a column may not.
 *  Throws GraphError for a matrix that is not well formed, an index outside the matrix, and a repeated
 *  column. */
export const sliceCsr = (m: Csr, options: { rows?: ArrayLike<number>; cols?: ArrayLike<number> }): Csr => {
  checkCsr('sliceCsr', m)
  checkOptions('sliceCsr', options, '{ rows } or { cols }')
  const { rows, cols } = options
  const place = cols && placesOf(cols, m.nCols)
  const nRows = rows?.length ?? m.nRows
  const indptr = new Int32Array(nRows + 1)
  const indices: number[] = []
  const values: number[] = []
  for (let i = 0; i < nRows; i++) {
    const from = rows ? checked('row', rows, i, m.nRows) : i
    const entries: [number, number][] = []
    for (let e = m.indptr[from]; e < m.indptr[from + 1]; e++) {
      const j = place ? place[m.indices[e]] : m.indices[e]
      if (j >= 0) entries.push([j, m.values[e]])
    }
    if (place) entries.sort((a, b) => a[0] - b[0])
    for (const [j, value] of entries) {
      indices.push(j)
      values.push(value)
    }
    indptr[i + 1] = indices.length
  }
  return {
    nRows,
    nCols: cols?.length ?? m.nCols,
    indptr,
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  }
}

/** The new index of every column, −1 if it is left out. */
const placesOf = (cols: ArrayLike<number>, size: number): Int32Array => {
  const place = new Int32Array(size).fill(-1)
  for (let n = 0; n < cols.length; n++) {
    const j = checked('column', cols, n, size)
    if (place[j] >= 0) {
      throw new GraphError(`sliceCsr: a column must be listed once, got ${j} at ${place[j]} and ${n}`)
    }
    place[j] = n
  }
  return place
}

const checked = (axis: string, list: ArrayLike<number>, at: number, size: number): number => {
  const index = list[at]
  if (!Number.isInteger(index) || index < 0 || index >= size) {
    throw new GraphError(
      `sliceCsr: every ${axis} must be an integer between 0 and ${size - 1}, got ${index} at ${at}`,
    )
  }
  return index
}
