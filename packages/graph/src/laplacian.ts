import { type Csr, csrFromCoo, symmetryError } from './csr.ts'
import { GraphError } from './errors.ts'

/** none: D − W;  symmetric: I − D^-½ W D^-½;  random-walk: I − D⁻¹ W (not symmetric). */
export type Normalization = 'none' | 'symmetric' | 'random-walk'

/** Weighted degrees: row sums of the adjacency. */
export const degrees = (adjacency: Csr): Float64Array => {
  const degree = new Float64Array(adjacency.nRows)
  for (let i = 0; i < adjacency.nRows; i++) {
    for (let e = adjacency.indptr[i]; e < adjacency.indptr[i + 1]; e++) degree[i] += adjacency.values[e]
  }
  return degree
}

/** Symmetric adjacency [n, n], weights ≥ 0, no loops → Laplacian [n, n] with its whole diagonal stored; an isolated node has a zero
 *  row under every normalization. 'none' and 'symmetric' are positive semidefinite; rows of 'none' and 'random-walk' sum to 0.
 *  Throws GraphError for an adjacency that is not square, not symmetric, negative or looped. */
export const laplacian = (adjacency: Csr, normalization: Normalization = 'none'): Csr => {
  checkAdjacency(adjacency)
  const size = adjacency.nRows
  const degree = degrees(adjacency)
  const { left, right } = scalings(degree, normalization)
  const count = size + adjacency.values.length
  const row = new Int32Array(count)
  const col = new Int32Array(count)
  const value = new Float64Array(count)
  let at = 0
  for (let i = 0; i < size; i++) {
    row[at] = i
    col[at] = i
    value[at++] = normalization === 'none' ? degree[i] : degree[i] > 0 ? 1 : 0
    for (let e = adjacency.indptr[i]; e < adjacency.indptr[i + 1]; e++) {
      const j = adjacency.indices[e]
      row[at] = i
      col[at] = j
      // (left_i right_j) first: that product is symmetric in bits, so L is
      value[at++] = -(left[i] * right[j]) * adjacency.values[e]
    }
  }
  return csrFromCoo({ nRows: size, nCols: size, row, col, value })
}

const scalings = (degree: Float64Array, normalization: Normalization) => {
  const ones = new Float64Array(degree.length).fill(1)
  switch (normalization) {
    case 'none':
      return { left: ones, right: ones }
    case 'symmetric': {
      const root = degree.map((d) => (d > 0 ? 1 / Math.sqrt(d) : 1))
      return { left: root, right: root }
    }
    case 'random-walk':
      return { left: degree.map((d) => (d > 0 ? 1 / d : 1)), right: ones }
    default:
      throw new GraphError(
        `laplacian: normalization must be 'none', 'symmetric' or 'random-walk', got '${normalization satisfies never}'`,
      )
  }
}

const checkAdjacency = (adjacency: Csr): void => {
  const { nRows, nCols, indptr, indices, values } = adjacency
  if (nRows !== nCols) throw new GraphError(`laplacian: adjacency must be square, got [${nRows}, ${nCols}]`)
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!(values[e] >= 0) || values[e] === Number.POSITIVE_INFINITY) {
        throw new GraphError(
          `laplacian: weights must be finite and at least 0, got ${values[e]} at (${i}, ${indices[e]})`,
        )
      }
      if (indices[e] === i && values[e] !== 0) {
        throw new GraphError(
          `laplacian: adjacency must have no loops, got ${values[e]} at (${i}, ${i}); drop it`,
        )
      }
    }
  }
  const { error, row, col } = symmetryError(adjacency)
  if (error !== 0) {
    throw new GraphError(
      `laplacian: adjacency must be symmetric, got |W[${row}, ${col}] - W[${col}, ${row}]| = ${error}; symmetrize it`,
    )
  }
}
