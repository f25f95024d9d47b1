import { checkInteger } from '../dense/matrix.ts'
import { checkNumbers, checkOptions, GraphError } from '../errors.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, checkCsr } from '../sparse/csr.ts'
import { Watch } from '../watch/watch.ts'
import { clusterQr } from './cluster-qr.ts'
import type { Eigenpairs } from './eigenpairs.ts'
import { type EigenOptions, smallestEigenpairs } from './smallest-eigenpairs.ts'

export interface SpectralClusteringOptions extends Omit<EigenOptions, 'k' | 'kernelVector'> {
  /** number of clusters, between 1 and the number of nodes */
  clusters: number
}

export interface SpectralClustering {
  /** the cluster of every node; clusters are numbered by their first node */
  labels: Int32Array
  /** eigenpairs of the symmetric-normalised Laplacian */
  pairs: Eigenpairs
}

/** Normalised spectral clustering. It takes the eigenvectors of the `clusters` smallest eigenvalues of the
 *  symmetric-normalised Laplacian. It divides each row by the square root of its degree, and clusters the
 *  rows by pivoted QR. This is scikit-learn's `spectral_clustering` with assign_labels 'cluster_qr'.
 *  If there are as many components as clusters, the components are the clusters. Fewer clusters than
 *  components are an error, because nothing says which components to join.
 *  Source: Shi and Malik, "Normalized cuts and image segmentation", IEEE TPAMI 22 (2000).
 *  Throws GraphError as `laplacian` and `smallestEigenpairs` do. */
export const spectralClustering = async (
  adjacency: Csr,
  options: SpectralClusteringOptions,
): Promise<SpectralClustering> => {
  checkCsr('spectralClustering', adjacency)
  checkOptions('spectralClustering', options, '{ clusters }')
  const { clusters, ...search } = options
  const size = adjacency.nRows
  checkInteger('spectralClustering', 'clusters', clusters, 1, size, `the graph has ${size} nodes`)
  const normed = laplacian(adjacency, { normalization: 'symmetric', returnDiagonal: true })
  const { count } = connectedComponents(adjacency)
  if (clusters < count) {
    throw new GraphError(
      `spectralClustering: clusters must be at least the number of connected components, got ${clusters} clusters and ${count} components; drop isolated nodes, or raise k of the neighbours`,
    )
  }
  const pairs = await smallestEigenpairs(normed.laplacian, {
    ...search,
    k: clusters,
    kernelVector: normed.diagonal,
  })
  const data = pairs.vectors.data.map((value, n) => value / normed.diagonal[Math.floor(n / clusters)])
  const watch = new Watch({ signal: options.signal })
  return { labels: await clusterQr({ data, rows: size, cols: clusters }, watch), pairs }
}

/** The number of clusters c with the largest gap values[c] − values[c − 1] of ascending eigenvalues, and that
 *  gap; the first of equal gaps.
 *  Throws GraphError for fewer than two values, and for values that are not finite or do not ascend. */
export const eigengap = (values: ArrayLike<number>): { clusters: number; gap: number } => {
  checkNumbers('eigengap', 'values', values)
  if (values.length < 2)
    throw new GraphError(`eigengap: values must hold at least two eigenvalues, got ${values.length}`)
  for (let c = 0; c < values.length; c++) {
    if (!Number.isFinite(values[c]) || values[c] < values[c - 1]) {
      throw new GraphError(
        `eigengap: eigenvalues must be finite and ascend, got ${values[c]} at ${c}; sort them`,
      )
    }
  }
  const best = { clusters: 1, gap: values[1] - values[0] }
  for (let c = 2; c < values.length; c++) {
    const gap = values[c] - values[c - 1]
    if (gap > best.gap) Object.assign(best, { clusters: c, gap })
  }
  return best
}
