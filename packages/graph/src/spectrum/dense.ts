import { EigenvalueDecomposition } from 'ml-matrix'
import { GraphError } from '../errors.ts'
import type { Csr } from '../sparse/csr.ts'
import { toMlMatrix } from '../sparse/ml-matrix.ts'
import { partOf, Watch, type WatchOptions } from '../watch/watch.ts'
import { checkSymmetric, type Eigenpairs, eigenpairsOf } from './eigenpairs.ts'

/** Largest size whose full decomposition is offered: it takes 10·n³ operations and n² numbers. */
export const DENSE_MAX = 4096

/** All eigenpairs of a symmetric matrix m [n, n], n ≤ 4096, by ml-matrix (tridiagonal reduction and QL):
 *  512 rows take 0.3 s, 1024 take 2.4, 2048 take 19. ml-matrix decomposes in one go: a signal is heard before and after it.
 *  Throws GraphError for a matrix that is not square, finite and symmetric, or too large; the signal's reason when it is aborted. */
export const denseEigenpairs = async (m: Csr, options: WatchOptions = {}): Promise<Eigenpairs> => {
  checkSymmetric('denseEigenpairs', m)
  if (m.nRows > DENSE_MAX) {
    throw new GraphError(
      `denseEigenpairs: at most ${DENSE_MAX} rows, got ${m.nRows}; ask smallestEigenpairs for some of them`,
    )
  }
  return await smallestDense(m, m.nRows, options)
}

/** The k smallest of all eigenpairs. */
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
