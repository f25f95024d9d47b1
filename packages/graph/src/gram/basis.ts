import { Random } from '@tau/tensor'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { multiply } from '../dense/multiply.ts'
import { qr } from '../dense/qr.ts'
import { GraphError } from '../errors.ts'
import type { Gram } from './gram.ts'

/** random: project on random orthonormal directions;  pca: on the principal directions;  rotated-pca: pca,
 *  then a random rotation. */
export type ReduceMethod = 'random' | 'pca' | 'rotated-pca'

export interface BasisOptions {
  dim: number
  method: ReduceMethod
  seed: number
}

/** Directions Q [F, D] of a reduction Y = X·Q. `gram` gives XᵀX; it is called only if the directions depend
 *  on the data.
 *  random: uniformly distributed orthonormal columns, or orthonormal rows if D > F.  pca: the D leading
 *  eigenvectors of XᵀX, with signs that make the component of largest magnitude positive.  rotated-pca: those
 *  directions, then a random rotation.
 *  Throws GraphError for D out of range. */
export const basisOf = (
  width: number,
  gram: () => Gram,
  { dim, method, seed }: BasisOptions,
): DenseMatrix => {
  if (method === 'random') {
    checkInteger('reduce', 'dim', dim, 1, 2 ** 20, 'choose the head dim')
    return randomOrthonormal(width, dim, new Random(seed))
  }
  if (method !== 'pca' && method !== 'rotated-pca') {
    throw new GraphError(`reduce: method must be random, pca or rotated-pca, got '${method satisfies never}'`)
  }
  const known = gram()
  const most = Math.min(known.rows, width)
  const advice = `${method} has ${most} directions; lower dim or use method 'random'`
  checkInteger('reduce', 'dim', dim, 1, most, advice)
  const directions = principalDirections(known, dim)
  // stream 1, because random directions use stream 0 of the same seed
  return method === 'pca'
    ? directions
    : multiply(directions, randomOrthonormal(dim, dim, new Random(seed, 1)))
}

/** Eigenvectors of the `dim` largest eigenvalues. */
const principalDirections = ({ products, cols }: Gram, dim: number): DenseMatrix => {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    Matrix.from1DArray(cols, cols, products),
    { assumeSymmetric: true },
  )
  const order = realEigenvalues.map((_, j) => j).sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  const data = new Float64Array(cols * dim)
  for (let j = 0; j < dim; j++) {
    const vector = eigenvectorMatrix.getColumn(order[j])
    const largest = vector.reduce((most, v) => (Math.abs(v) > Math.abs(most) ? v : most), 0)
    for (let i = 0; i < cols; i++) data[i * dim + j] = largest < 0 ? -vector[i] : vector[i]
  }
  return { data, rows: cols, cols: dim }
}

/** A matrix [rows, cols] with orthonormal columns, or with orthonormal rows if it has more columns than
 *  rows. */
const randomOrthonormal = (rows: number, cols: number, random: Random): DenseMatrix => {
  const tall = Math.max(rows, cols)
  const thin = Math.min(rows, cols)
  const data = Float64Array.from({ length: tall * thin }, () => random.gaussian())
  const { q } = qr({ data, rows: tall, cols: thin })
  if (rows >= cols) return q
  const wide = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) wide[i * cols + j] = q.data[j * thin + i]
  return { data: wide, rows, cols }
}
