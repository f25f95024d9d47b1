import { GraphError } from '../errors.ts'
import { type Csr, checkCsr, checkFinite, transposeCsr } from '../sparse/csr.ts'

/** union: i and j are joined if either lists the other; the larger stored value counts.  mutual: they are
 *  joined if both list each other; the smaller value counts.  average: (W + Wᵀ)/2, as in scikit-learn.  max:
 *  the larger element; an element that is not stored counts as 0. Union and max differ only for negative
 *  values. */
export type Symmetrization = 'union' | 'mutual' | 'average' | 'max'

type Merge = (a: number | undefined, b: number | undefined) => number | undefined

const merges: Readonly<Record<Symmetrization, Merge>> = {
  union: (a, b) => (a === undefined ? b : b === undefined ? a : Math.max(a, b)),
  mutual: (a, b) => (a === undefined || b === undefined ? undefined : Math.min(a, b)),
  average: (a = 0, b = 0) => (a + b) / 2,
  max: (a = 0, b = 0) => Math.max(a, b),
}

/** Directed graph [n, n] → graph that is symmetric to the last bit, by union unless given. The diagonal
 *  stays. It takes weights or distances; stored zeros are entries.
 *  Throws GraphError for a graph that is not square or not finite, naming the place, and for an unknown
 *  rule. */
export const symmetrize = (graph: Csr, how: Symmetrization = 'union'): Csr => {
  checkCsr('symmetrize', graph)
  const { nRows, nCols } = graph
  if (nRows !== nCols) {
    throw new GraphError(`symmetrize: the graph must be square, got [${nRows}, ${nCols}]`)
  }
  if (!Object.hasOwn(merges, how)) {
    throw new GraphError(`symmetrize: how must be one of ${Object.keys(merges).join(', ')}, got '${how}'`)
  }
  checkFinite('symmetrize', graph)
  return mergeRows(graph, transposeCsr(graph), merges[how])
}

const mergeRows = (a: Csr, b: Csr, merge: Merge): Csr => {
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
      const value = merge(left <= right ? a.values[n] : undefined, right <= left ? b.values[m] : undefined)
      if (left <= right) n++
      if (right <= left) m++
      if (value === undefined) continue
      indices[size] = Math.min(left, right)
      values[size++] = value
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
