import type { WeightedLists } from './affinity.ts'
import { type Csr, csrFromCoo, transpose } from './csr.ts'

/** Weights at or below this are no edge (the reference's constant). */
export const WEIGHT_FLOOR = 1e-12

/** Union symmetrisation: i and j are joined if either lists the other and the weight exceeds `floor`. Two directions with unequal
 *  weights give the larger. → symmetric adjacency [n, n] without diagonal. Throws GraphError if a list names a node twice. */
export const symmetrize = (
  { nNodes, indptr, indices, weights }: WeightedLists,
  floor = WEIGHT_FLOOR,
): Csr => {
  const row: number[] = []
  const col: number[] = []
  const value: number[] = []
  for (let i = 0; i < nNodes; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!(weights[e] > floor) || indices[e] === i) continue
      row.push(i)
      col.push(indices[e])
      value.push(weights[e])
    }
  }
  const directed = csrFromCoo({ nRows: nNodes, nCols: nNodes, row, col, value }, { duplicates: 'error' })
  return elementwiseMax(directed, transpose(directed))
}

/** Largest of two non-negative sparse matrices of one size, by merging their sorted rows. */
const elementwiseMax = (a: Csr, b: Csr): Csr => {
  const indptr = new Int32Array(a.nRows + 1)
  const indices = new Int32Array(a.values.length + b.values.length)
  const values = new Float64Array(indices.length)
  let size = 0
  for (let i = 0; i < a.nRows; i++) {
    let n = a.indptr[i]
    let m = b.indptr[i]
    while (n < a.indptr[i + 1] || m < b.indptr[i + 1]) {
      const left = n < a.indptr[i + 1] ? a.indices[n] : a.nCols
      const right = m < b.indptr[i + 1] ? b.indices[m] : b.nCols
      indices[size] = Math.min(left, right)
      values[size++] = Math.max(left <= right ? a.values[n] : 0, right <= left ? b.values[m] : 0)
      if (left <= right) n++
      if (right <= left) m++
    }
    indptr[i + 1] = size
  }
  return {
    nRows: a.nRows,
    nCols: a.nCols,
    indptr,
    indices: indices.slice(0, size),
    values: values.slice(0, size),
  }
}
