import { GraphError } from '../errors.ts'
import { type Csr, checkCsr, csrFromCoo, symmetryError } from '../sparse/csr.ts'

/** none: D − W;  symmetric: I − D^-½ W D^-½;  random-walk: I − D⁻¹ W (not symmetric). */
export type Normalization = 'none' | 'symmetric' | 'random-walk'

export interface LaplacianOptions {
  /** 'none' unless given */
  normalization?: Normalization
  /** whether to return the scaling of the nodes as well, as SciPy's `return_diag` does; false unless given */
  returnDiagonal?: boolean
}

export interface LaplacianWithDiagonal {
  laplacian: Csr
  /** none: the degrees;  symmetric: the square roots of the degrees, so that L·diagonal = 0;  random-walk:
   *  the degrees. For the last two an isolated node has 1. */
  diagonal: Float64Array
}

/** Weighted degrees: row sums of the adjacency without its diagonal. Weights may have any sign; a NaN weight
 *  gives NaN.
 *  Throws GraphError for a matrix that is not well formed. */
export const degrees = (adjacency: Csr): Float64Array => {
  checkCsr('degrees', adjacency)
  const { nRows, indptr, indices, values } = adjacency
  const degree = new Float64Array(nRows)
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) if (indices[e] !== i) degree[i] += values[e]
  }
  return degree
}

/** Symmetric adjacency [n, n] with weights ≥ 0 → Laplacian [n, n] with its whole diagonal stored.
 *  'none' and 'symmetric' are positive semidefinite; the eigenvalues of 'symmetric' lie in [0, 2]. Rows of
 *  'none' and 'random-walk' sum to 0.
 *  As in SciPy's `csgraph.laplacian`, loops (the diagonal of the adjacency) are ignored. An isolated node has
 *  a zero row under every normalization.
 *  Throws GraphError for an adjacency that is not well formed, not square, not symmetric, negative or not
 *  finite, naming the place and the value. */
export function laplacian(
  adjacency: Csr,
  options: LaplacianOptions & { returnDiagonal: true },
): LaplacianWithDiagonal
export function laplacian(adjacency: Csr, options?: LaplacianOptions & { returnDiagonal?: false }): Csr
export function laplacian(
  adjacency: Csr,
  { normalization = 'none', returnDiagonal = false }: LaplacianOptions = {},
): Csr | LaplacianWithDiagonal {
  checkAdjacency('laplacian', adjacency)
  const size = adjacency.nRows
  const degree = degrees(adjacency)
  const { left, right, diagonal } = scalings(degree, normalization)
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
      if (j === i) continue
      row[at] = i
      col[at] = j
      // left_i·right_j comes first, because that product is symmetric to the last bit; then L is, too
      value[at++] = -(left[i] * right[j]) * adjacency.values[e]
    }
  }
  const result = csrFromCoo({
    nRows: size,
    nCols: size,
    row: row.subarray(0, at),
    col: col.subarray(0, at),
    value: value.subarray(0, at),
  })
  return returnDiagonal ? { laplacian: result, diagonal } : result
}

const scalings = (degree: Float64Array, normalization: Normalization) => {
  const ones = new Float64Array(degree.length).fill(1)
  switch (normalization) {
    case 'none':
      return { left: ones, right: ones, diagonal: degree }
    case 'symmetric': {
      const root = degree.map((d) => (d > 0 ? Math.sqrt(d) : 1))
      const inverse = root.map((r) => 1 / r)
      return { left: inverse, right: inverse, diagonal: root }
    }
    case 'random-walk': {
      const positive = degree.map((d) => (d > 0 ? d : 1))
      return { left: positive.map((d) => 1 / d), right: ones, diagonal: positive }
    }
    default:
      throw new GraphError(
        `laplacian: normalization must be 'none', 'symmetric' or 'random-walk', got '${normalization satisfies never}'`,
      )
  }
}

/** Throws GraphError unless the adjacency is well formed, square and symmetric, with weights that are finite
 *  and at least 0. */
export const checkAdjacency = (op: string, adjacency: Csr): void => {
  checkCsr(op, adjacency)
  const { nRows, nCols, indptr, indices, values } = adjacency
  if (nRows !== nCols) throw new GraphError(`${op}: adjacency must be square, got [${nRows}, ${nCols}]`)
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!(values[e] >= 0) || values[e] === Number.POSITIVE_INFINITY) {
        throw new GraphError(
          `${op}: weights must be finite and at least 0, got ${values[e]} at (${i}, ${indices[e]}); pass an adjacency, not its Laplacian`,
        )
      }
    }
  }
  const { error, row, col } = symmetryError(adjacency)
  if (error !== 0) {
    throw new GraphError(
      `${op}: adjacency must be symmetric, got |W[${row}, ${col}] - W[${col}, ${row}]| = ${error}; symmetrize it`,
    )
  }
}
