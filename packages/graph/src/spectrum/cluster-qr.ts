import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import type { DenseMatrix } from '../dense/matrix.ts'
import type { Watch } from '../watch/watch.ts'

/** Clusters from the eigenvectors [n, k] of k clusters → labels, numbered by the first node of each cluster.
 *  Nothing is random, and there are no iterations.
 *  A pivoted QR finds k rows that point as far apart as possible. The nearest orthogonal matrix of these rows
 *  gives k axes. Each node goes to the axis along which its own row is longest.
 *  Source: Damle, Minden and Ying, "Simple, direct and efficient multi-way spectral clustering", Information
 *  and Inference 8 (2019). */
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

/** The first pivots of a QR of the transposed matrix with column pivoting. Each is the row with the longest
 *  part orthogonal to the earlier ones. */
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
