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
  /** cluster of every node, numbered by their first node */
  labels: Int32Array
  /** of the symmetric-normalised Laplacian */
  pairs: Eigenpairs
}

/** Normalised spectral clustering: the eigenvectors of the `clusters` smallest eigenvalues of the symmetric-normalised Laplacian, each
 *  row divided by the root of its degree, clustered by pivoted QR (scikit-learn's `spectral_clustering` with assign_labels
 *  'cluster_qr'). A graph with as many components as clusters gives its components; fewer clusters than components are an error, for
 *  nothing says which to join.
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
      `spectralClustering: at least as many clusters as connected components, got ${clusters} of ${count}; drop isolated nodes, or raise k of the neighbours`,
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

/** The number of clusters after which the eigenvalues jump most: the largest values[c] − values[c − 1], the first of equal ones. Values
 *  ascending.
 *  Throws GraphError for fewer than two values, and where one is not finite or below the one before it. */
export const eigengap = (values: ArrayLike<number>): { clusters: number; gap: number } => {
  checkNumbers('eigengap', 'values', values)
  if (values.length < 2) throw new GraphError(`eigengap: at least two eigenvalues, got ${values.length}`)
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
