import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import type { DenseMatrix } from '../dense/matrix.ts'
import type { Watch } from '../watch/watch.ts'

/** Clusters from the k eigenvectors [n, k] of k clusters: k rows that point as far apart as a pivoted QR finds them become the axes (by
 *  the nearest orthogonal matrix), and a node goes to the axis its own row is longest along. Nothing random, no iterations. → labels,
 *  numbered by their first node.
 *  Source: Damle, Minden and Ying, "Simple, direct and efficient multi-way spectral clustering", Information and Inference 8 (2019). */
export const clusterQr = async ({ data, rows, cols }: DenseMatrix, watch: Watch): Promise<Int32Array> => {
  const pivots = await pivotedRows(data, rows, cols, watch)
  const corners = new Matrix(
    pivots.map((row) => Array.from({ length: cols }, (_, j) => data[row * cols + j])),
  ).transpose()
  const { leftSingularVectors, rightSingularVectors } = new SingularValueDecomposition(corners)
  const axes = leftSingularVectors.mmul(rightSingularVectors.transpose())
  const names = new Map<number, number>()
  return Int32Array.from({ length: rows }, (_, i) => {
    let best = 0
    let longest = -1
    for (let c = 0; c < cols; c++) {
      let along = 0
      for (let j = 0; j < cols; j++) along += data[i * cols + j] * axes.get(j, c)
      if (Math.abs(along) > longest) [longest, best] = [Math.abs(along), c]
    }
    const name = names.get(best) ?? names.size
    names.set(best, name)
    return name
  })
}

/** The rows that a QR of the transposed matrix with column pivoting takes first: each is the longest beside those before it. */
const pivotedRows = async (
  source: ArrayLike<number>,
  rows: number,
  cols: number,
  watch: Watch,
): Promise<number[]> => {
  const rest = Float64Array.from(source)
  const pivots: number[] = []
  for (let step = 0; step < cols; step++) {
    await watch.turn(0)
    let pivot = 0
    let longest = -1
    for (let i = 0; i < rows; i++) {
      let square = 0
      for (let n = i * cols; n < (i + 1) * cols; n++) square += rest[n] * rest[n]
      if (square > longest) [longest, pivot] = [square, i]
    }
    pivots.push(pivot)
    const norm = Math.sqrt(longest) || 1
    const axis = rest.slice(pivot * cols, (pivot + 1) * cols).map((value) => value / norm)
    for (let i = 0; i < rows; i++) {
      let along = 0
      for (let j = 0; j < cols; j++) along += rest[i * cols + j] * axis[j]
      for (let j = 0; j < cols; j++) rest[i * cols + j] -= along * axis[j]
    }
  }
  return pivots
}
