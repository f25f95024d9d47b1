import { type Csr, toDense } from '../csr.ts'
import { GraphError } from '../errors.ts'
import { partOf, Watch, type WatchOptions } from '../watch.ts'
import { checkSymmetric, type Eigenpairs, eigenpairsOf } from './eigenpairs.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** Largest size whose full decomposition is offered: it takes 9·n³ operations and 3·n² numbers. */
export const DENSE_MAX = 4096

/** All eigenpairs of a symmetric matrix m [n, n], n ≤ 4096 (tridiagonal reduction and QL): 512
 *  rows take 0.4 s, 1024 take 3, 4096 three and a half minutes.
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
  const size = m.nRows
  const { data } = toDense(m)
  const { values, vector } = await symmetricEigen(data, size, new Watch(partOf(options, 0, 0.9)))
  const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b])
  const columns = order.slice(0, k).map(vector)
  return await eigenpairsOf(m, columns, { method: 'dense', products: 0, ...partOf(options, 0.9, 1) })
}
