import { EigenvalueDecomposition } from 'ml-matrix'
import type { Csr } from '../csr.ts'
import { GraphError } from '../errors.ts'
import { toMlMatrix } from '../sparse/ml-matrix.ts'
import { checkSymmetric, type Eigenpairs, eigenpairsOf } from './eigenpairs.ts'

/** Largest size whose full decomposition is offered: it takes 10·n³ operations and n² numbers. */
export const DENSE_MAX = 4096

/** All eigenpairs of a symmetric matrix m [n, n], n ≤ 4096, by ml-matrix (tridiagonal reduction and QL):
 *  512 rows take 0.3 s, 1024 take 2.3.
 *  Throws GraphError for a matrix that is not square, finite and symmetric, or too large. */
export const denseEigenpairs = (m: Csr): Eigenpairs => {
  checkSymmetric('denseEigenpairs', m)
  if (m.nRows > DENSE_MAX) {
    throw new GraphError(
      `denseEigenpairs: at most ${DENSE_MAX} rows, got ${m.nRows}; ask smallestEigenpairs for some of them`,
    )
  }
  return smallestDense(m, m.nRows)
}

/** The k smallest of all eigenpairs. */
export const smallestDense = (m: Csr, k: number): Eigenpairs => {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(toMlMatrix(m), {
    assumeSymmetric: true,
  })
  const order = realEigenvalues
    .map((_, j) => j)
    .sort((a, b) => realEigenvalues[a] - realEigenvalues[b])
    .slice(0, k)
  const columns = order.map((j) => Float64Array.from(eigenvectorMatrix.getColumn(j)))
  return eigenpairsOf(m, columns, 'dense', 0)
}
