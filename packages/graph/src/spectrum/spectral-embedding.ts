import { checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, checkCsr } from '../sparse/csr.ts'
import { type EigenOptions, smallestEigenpairs } from './smallest-eigenpairs.ts'

export interface SpectralEmbeddingOptions extends Omit<EigenOptions, 'k' | 'kernelVector'> {
  /** coordinates per node, between 1 and the number of nodes − 1 */
  dim: number
}

export interface SpectralEmbedding {
  /** [n, dim] */
  embedding: DenseMatrix & { data: Float64Array }
  /** the eigenvalue of every coordinate, ascending, above 0 */
  values: Float64Array
  /** |Lx − θx| of every eigenvector */
  residuals: Float64Array
}

/** Laplacian eigenmaps of a connected graph, as in scikit-learn's `spectral_embedding`. The coordinates of
 *  node i are the elements i of the vectors D^-½x, the eigenvectors of the random walk. x are the
 *  eigenvectors of the normalised Laplacian after the first, for which D^-½x is constant. A ring becomes a
 *  circle.
 *  Source: Belkin and Niyogi, "Laplacian eigenmaps for dimensionality reduction and data representation",
 *  Neural Computation 15 (2003).
 *  Throws GraphError for a graph that is not connected, and as `laplacian` and `smallestEigenpairs` do. */
export const spectralEmbedding = async (
  adjacency: Csr,
  options: SpectralEmbeddingOptions,
): Promise<SpectralEmbedding> => {
  checkCsr('spectralEmbedding', adjacency)
  checkOptions('spectralEmbedding', options, '{ dim }')
  const { dim, ...search } = options
  const size = adjacency.nRows
  checkInteger('spectralEmbedding', 'dim', dim, 1, size - 1, `the graph has ${size} nodes`)
  const normed = laplacian(adjacency, { normalization: 'symmetric', returnDiagonal: true })
  const { count } = connectedComponents(adjacency)
  if (count > 1) {
    throw new GraphError(
      `spectralEmbedding: the graph must be connected, got ${count} components; embed each component, or raise k of the neighbours`,
    )
  }
  const { values, vectors, residuals } = await smallestEigenpairs(normed.laplacian, {
    ...search,
    k: dim + 1,
    kernelVector: normed.diagonal,
  })
  const data = new Float64Array(size * dim)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < dim; j++) {
      data[i * dim + j] = vectors.data[i * (dim + 1) + j + 1] / normed.diagonal[i]
    }
  }
  return {
    embedding: { data, rows: size, cols: dim },
    values: values.slice(1),
    residuals: residuals.slice(1),
  }
}
