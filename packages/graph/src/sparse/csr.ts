import type { DenseMatrix } from '../dense/matrix.ts'
import { type Points, shapedMatrixOf } from '../dense/points.ts'
import { checkNumbers, checkOptions, GraphError, nameOf } from '../errors.ts'

/** Compressed sparse rows. Row i has the columns `indices[indptr[i] .. indptr[i + 1])`, strictly ascending,
 *  and as many `values`. Stored zeros are allowed, because a Laplacian stores its whole diagonal. */
export interface Csr {
  nRows: number
  nCols: number
  indptr: Int32Array
  indices: Int32Array
  values: Float64Array
}

/** Coordinate triplets. Those from `toCoo` are sorted by (row, col). */
export interface Coo {
  nRows: number
  nCols: number
  row: Int32Array
  col: Int32Array
  value: Float64Array
}

/** Number of stored entries. It only counts the values and does not check the matrix. */
export const nnz = (m: Csr): number => m.values.length

/** Triplets in any order → Csr. Values at the same position are added, or are an error with `duplicates:
 *  'error'`. Values may be NaN; functions that compute with them check them.
 *  Throws GraphError for invalid sizes, unequal lengths, and a row or column outside the matrix. */
export const csrFromCoo = (
  coo: {
    nRows: number
    nCols: number
    row: ArrayLike<number>
    col: ArrayLike<number>
    value: ArrayLike<number>
  },
  { duplicates = 'sum' }: { duplicates?: 'sum' | 'error' } = {},
): Csr => {
  checkOptions('csrFromCoo', coo, '{ nRows, nCols, row, col, value }')
  const { nRows, nCols, row, col, value } = coo
  checkSize('csrFromCoo', nRows, nCols)
  for (const [name, list] of Object.entries({ row, col, value })) checkNumbers('csrFromCoo', name, list)
  const count = value.length
  if (row.length !== count || col.length !== count) {
    throw new GraphError(
      `csrFromCoo: row, col and value must have equal lengths, got ${row.length}, ${col.length}, ${count}`,
    )
  }
  checkIndices('row', row, nRows)
  checkIndices('column', col, nCols)
  // Two stable counting sorts: by column, then by row.
  const byColumn = countingSort(col, nCols, undefined)
  const order = countingSort(row, nRows, byColumn)
  const indptr = new Int32Array(nRows + 1)
  const indices = new Int32Array(count)
  const values = new Float64Array(count)
  let size = 0
  let previousRow = -1
  for (const entry of order) {
    const i = row[entry]
    const j = col[entry]
    if (i === previousRow && indices[size - 1] === j) {
      if (duplicates === 'error') {
        throw new GraphError(`csrFromCoo: positions must differ, got (${i}, ${j}) twice; remove one entry`)
      }
      values[size - 1] += value[entry]
    } else {
      indices[size] = j
      values[size++] = value[entry]
      indptr[i + 1]++
    }
    previousRow = i
  }
  for (let i = 0; i < nRows; i++) indptr[i + 1] += indptr[i]
  return { nRows, nCols, indptr, indices: indices.slice(0, size), values: values.slice(0, size) }
}

/** The matrix with only those entries e of every row i that pass. */
export const keepEntries = (m: Csr, isKept: (e: number, i: number) => boolean): Csr => {
  const indptr = new Int32Array(m.nRows + 1)
  const kept = new Int32Array(m.values.length)
  let size = 0
  for (let i = 0; i < m.nRows; i++) {
    for (let e = m.indptr[i]; e < m.indptr[i + 1]; e++) if (isKept(e, i)) kept[size++] = e
    indptr[i + 1] = size
  }
  const used = kept.subarray(0, size)
  const indices = Int32Array.from(used, (e) => m.indices[e])
  const values = Float64Array.from(used, (e) => m.values[e])
  return { nRows: m.nRows, nCols: m.nCols, indptr, indices, values }
}

const checkIndices = (axis: string, index: ArrayLike<number>, size: number): void => {
  for (let n = 0; n < index.length; n++) {
    if (!(index[n] >= 0 && index[n] < size) || !Number.isInteger(index[n])) {
      throw new GraphError(
        `csrFromCoo: every ${axis} must be an integer between 0 and ${size - 1}, got ${index[n]} at entry ${n}`,
      )
    }
  }
}

/** The entries sorted by key, stable. `from` is an earlier order that is sorted further. */
const countingSort = (key: ArrayLike<number>, size: number, from: Int32Array | undefined): Int32Array => {
  const start = new Int32Array(size + 1)
  for (let n = 0; n < key.length; n++) start[key[n] + 1]++
  for (let i = 0; i < size; i++) start[i + 1] += start[i]
  const order = new Int32Array(key.length)
  for (let n = 0; n < key.length; n++) {
    const entry = from ? from[n] : n
    order[start[key[entry]]++] = entry
  }
  return order
}

/** Dense → Csr of all elements that are not zero, NaN and infinities included. `keepDiagonal` stores zeros of
 *  the diagonal, too. Throws GraphError for a matrix that is not well formed. */
export const csrFromDense = (
  dense: Points,
  { keepDiagonal = false }: { keepDiagonal?: boolean } = {},
): Csr => {
  const x = shapedMatrixOf('csrFromDense', dense)
  const row: number[] = []
  const col: number[] = []
  const value: number[] = []
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < x.cols; j++) {
      const v = x.data[i * x.cols + j]
      if (v !== 0 || (keepDiagonal && i === j)) {
        row.push(i)
        col.push(j)
        value.push(v)
      }
    }
  }
  return csrFromCoo({ nRows: x.rows, nCols: x.cols, row, col, value })
}

/** Csr → dense f64. Throws GraphError for a matrix that is not well formed. */
export const toDense = (m: Csr): DenseMatrix & { data: Float64Array } => {
  checkCsr('toDense', m)
  const data = new Float64Array(m.nRows * m.nCols)
  for (let i = 0; i < m.nRows; i++) {
    for (let e = m.indptr[i]; e < m.indptr[i + 1]; e++) data[i * m.nCols + m.indices[e]] = m.values[e]
  }
  return { data, rows: m.nRows, cols: m.nCols }
}

/** Csr → triplets sorted by (row, col). Throws GraphError for a matrix that is not well formed. */
export const toCoo = (m: Csr): Coo => {
  checkCsr('toCoo', m)
  const row = new Int32Array(nnz(m))
  for (let i = 0; i < m.nRows; i++) row.fill(i, m.indptr[i], m.indptr[i + 1])
  return { nRows: m.nRows, nCols: m.nCols, row, col: m.indices.slice(), value: m.values.slice() }
}

/** mᵀ. Throws GraphError for a matrix that is not well formed. */
export const transposeCsr = (m: Csr): Csr => {
  checkCsr('transpose', m)
  const indptr = new Int32Array(m.nCols + 1)
  for (const j of m.indices) indptr[j + 1]++
  for (let j = 0; j < m.nCols; j++) indptr[j + 1] += indptr[j]
  const next = indptr.slice()
  const indices = new Int32Array(nnz(m))
  const values = new Float64Array(nnz(m))
  for (let i = 0; i < m.nRows; i++) {
    for (let e = m.indptr[i]; e < m.indptr[i + 1]; e++) {
      const slot = next[m.indices[e]]++
      indices[slot] = i
      values[slot] = m.values[e]
    }
  }
  return { nRows: m.nCols, nCols: m.nRows, indptr, indices, values }
}

/** Sparse matrix times vector: m [R, C] · x [C] → [R]. NaN and infinities propagate.
 *  It is the inner loop of iterations, so it checks only the length of x. Check a matrix from outside with
 *  `checkCsr` first; a malformed one gives wrong numbers.
 *  Throws GraphError for another length. */
export const spmv = (m: Csr, x: ArrayLike<number>): Float64Array => {
  if (x.length !== m.nCols) {
    throw new GraphError(`spmv: x must have nCols = ${m.nCols} elements, got ${x.length}`)
  }
  const out = new Float64Array(m.nRows)
  for (let i = 0; i < m.nRows; i++) {
    let sum = 0
    for (let e = m.indptr[i]; e < m.indptr[i + 1]; e++) sum += m.values[e] * x[m.indices[e]]
    out[i] = sum
  }
  return out
}

/** Sparse matrix times dense matrix: m [R, C] · x [C, N] → [R, N]. NaN and infinities propagate. Throws
 *  GraphError for matrices that are not well formed or do not fit. */
export const spmm = (m: Csr, dense: Points): DenseMatrix & { data: Float64Array } => {
  checkCsr('spmm', m)
  const x = shapedMatrixOf('spmm', dense)
  if (x.rows !== m.nCols) {
    throw new GraphError(`spmm: x must have nCols = ${m.nCols} rows, got [${x.rows}, ${x.cols}]`)
  }
  const data = new Float64Array(m.nRows * x.cols)
  for (let i = 0; i < m.nRows; i++) addRow(m, i, x, data)
  return { data, rows: m.nRows, cols: x.cols }
}

/** Adds row i of m·x to row i of out [nRows, N]. */
export const addRow = (m: Csr, i: number, x: DenseMatrix, out: Float64Array): void => {
  const { cols } = x
  for (let e = m.indptr[i]; e < m.indptr[i + 1]; e++) {
    const weight = m.values[e]
    const from = m.indices[e] * cols
    for (let c = 0; c < cols; c++) out[i * cols + c] += weight * x.data[from + c]
  }
}

/** Stored value at (i, j), or 0, also outside the matrix. It is a binary search, O(log of the row's length).
 *  m is not checked. */
export const valueAt = (m: Csr, i: number, j: number): number => {
  let low = m.indptr[i]
  let high = m.indptr[i + 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (m.indices[middle] < j) low = middle + 1
    else high = middle
  }
  return low < m.indptr[i + 1] && m.indices[low] === j ? m.values[low] : 0
}

/** The main diagonal: min(nRows, nCols) elements, with 0 for those that are not stored. Throws GraphError for
 *  a matrix that is not well formed. */
export const diagonal = (m: Csr): Float64Array => {
  checkCsr('diagonal', m)
  return Float64Array.from({ length: Math.min(m.nRows, m.nCols) }, (_, i) => valueAt(m, i, i))
}

/** Largest |m_ij − m_ji| of a square matrix, and its place. NaN counts as infinite. Throws GraphError for a
 *  matrix that is not well formed or not square. */
export const symmetryError = (m: Csr): { error: number; row: number; col: number } => {
  checkCsr('symmetryError', m)
  const worst = { error: 0, row: 0, col: 0 }
  if (m.nRows !== m.nCols) {
    throw new GraphError(`symmetryError: the matrix must be square, got [${m.nRows}, ${m.nCols}]`)
  }
  // The pattern is mostly symmetric. Then (j, i) is found at the place of (i, j), in a third of the time of a
  // search.
  const mirror = transposeCsr(m)
  const isSamePattern =
    mirror.indptr.every((start, i) => start === m.indptr[i]) &&
    mirror.indices.every((j, e) => j === m.indices[e])
  for (let i = 0; i < m.nRows; i++) {
    for (let e = m.indptr[i]; e < m.indptr[i + 1]; e++) {
      const j = m.indices[e]
      const difference = m.values[e] - (isSamePattern ? mirror.values[e] : valueAt(m, j, i))
      const error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.abs(difference)
      if (error > worst.error) Object.assign(worst, { error, row: i, col: j })
    }
  }
  return worst
}

/** Whether a matrix that may be sparse or dense is sparse. */
export const isCsr = (m: unknown): m is Csr => typeof m === 'object' && m !== null && 'indptr' in m

/** Throws GraphError unless m is a well-formed sparse matrix. It is for matrices that were not built here. */
export const checkCsr = (op: string, m: Csr): void => {
  if (!isCsr(m) || !m.indptr || !m.indices || !m.values) {
    throw new GraphError(
      `${op}: the matrix must be sparse { nRows, nCols, indptr, indices, values }, got ${nameOf(m)}; make one with csrFromDense or csrFromCoo`,
    )
  }
  const { nRows, nCols, indptr, indices, values } = m
  checkSize(op, nRows, nCols)
  if (indptr.length !== nRows + 1 || indptr[0] !== 0 || indptr[nRows] !== values.length) {
    throw new GraphError(
      `${op}: indptr must have nRows + 1 = ${nRows + 1} elements from 0 to nnz = ${values.length}, ` +
        `got ${indptr.length} elements from ${indptr[0]} to ${indptr[indptr.length - 1]}`,
    )
  }
  if (indices.length !== values.length) {
    throw new GraphError(
      `${op}: every value must have one column index, got ${indices.length} indices and ${values.length} values`,
    )
  }
  for (let i = 0; i < nRows; i++) {
    if (indptr[i + 1] < indptr[i]) {
      throw new GraphError(
        `${op}: indptr must not decrease, got ${indptr[i]} then ${indptr[i + 1]} at row ${i}`,
      )
    }
  }
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      const before = e > indptr[i] ? indices[e - 1] : -1
      if (indices[e] <= before || indices[e] >= nCols) {
        throw new GraphError(
          `${op}: columns of a row must ascend within 0 … ${nCols - 1}, got ${indices[e]} after ${before} in row ${i}`,
        )
      }
    }
  }
}

/** Most rows or columns. Their indices, and the rows + 1 elements of indptr, are counted in i32. */
const MOST = 2 ** 31 - 2

const checkSize = (op: string, nRows: number, nCols: number): void => {
  for (const size of [nRows, nCols]) {
    if (Number.isInteger(size) && size >= 0 && size <= MOST) continue
    throw new GraphError(`${op}: a matrix must have 0 to ${MOST} rows and columns, got [${nRows}, ${nCols}]`)
  }
}

/** Throws GraphError unless all values of a well-formed m are finite. */
export const checkFinite = (op: string, { nRows, indptr, indices, values }: Csr): void => {
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!Number.isFinite(values[e])) {
        throw new GraphError(`${op}: values must be finite, got ${values[e]} at (${i}, ${indices[e]})`)
      }
    }
  }
}
