import { EigenvalueDecomposition } from 'ml-matrix'
import { GraphError } from '../errors.ts'
import type { Csr } from '../sparse/csr.ts'
import { toMlMatrix } from '../sparse/ml-matrix.ts'
import { partOf, Watch, type WatchOptions } from '../watch/watch.ts'
import { checkSymmetric, type Eigenpairs, eigenpairsOf } from './eigenpairs.ts'

/** Most rows of a full decomposition, because it takes 10·n³ operations and n² numbers. */
export const DENSE_MAX = 4096

/** All eigenpairs of a symmetric matrix m [n, n], n ≤ 4096, by ml-matrix (tridiagonal reduction and QL). 512
 *  rows take 0.3 s, 1024 take 2.4 s, 2048 take 19 s. ml-matrix decomposes in one go, so a signal is noticed
 *  only before and after it.
 *  Throws GraphError for a matrix that is not square, finite and symmetric, or too large, and the signal's
 *  reason when it is aborted. */
export const denseEigenpairs = async (m: Csr, options: WatchOptions = {}): Promise<Eigenpairs> => {
  checkSymmetric('denseEigenpairs', m)
  if (m.nRows > DENSE_MAX) {
    throw new GraphError(
      `denseEigenpairs: the matrix must have at most ${DENSE_MAX} rows, got ${m.nRows}; use smallestEigenpairs for some of the pairs`,
    )
  }
  return await smallestDense(m, m.nRows, options)
}

/** The k smallest eigenpairs from the full decomposition. */
export const smallestDense = async (m: Csr, k: number, options: WatchOptions): Promise<Eigenpairs> => {
  const watch = new Watch(partOf(options, 0, 0.9))
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(toMlMatrix(m), {
    assumeSymmetric: true,
  })
  await watch.turn(1)
  const order = realEigenvalues
    .map((_, j) => j)
    .sort((a, b) => realEigenvalues[a] - realEigenvalues[b])
    .slice(0, k)
  const columns = order.map((j) => Float64Array.from(eigenvectorMatrix.getColumn(j)))
  return await eigenpairsOf(m, columns, { method: 'dense', products: 0, ...partOf(options, 0.9, 1) })
}
