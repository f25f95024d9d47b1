import { type AffinityOptions, affinity } from '../adjacency/kernel.ts'
import { strongestHalf } from '../adjacency/strongest-half.ts'
import { symmetrize } from '../adjacency/symmetrize-lists.ts'
import type { DenseMatrix } from '../dense/matrix.ts'
import { type KnnOptions, knnGraph } from '../neighbors/knn.ts'
import type { Csr } from '../sparse/csr.ts'
import { laplacian, type Normalization } from './laplacian.ts'

export interface GraphLaplacianOptions extends Omit<KnnOptions, 'nodes'>, AffinityOptions {
  /** ArrowSpace's inline sparsification (see `strongestHalf`), off unless given */
  sparsify?: boolean
  /** 'none' unless given */
  normalization?: Normalization
}

/** ArrowSpace's pipeline over the features (columns) of x [N, F]: kNN lists, weights, optional sparsification, union, Laplacian [F, F].
 *  Source: L. Moriondo, ArrowSpace, JOSS 10.21105/joss.09002. Throws as `knnGraph` and `affinity` do. */
export const featureLaplacian = (x: DenseMatrix, options: GraphLaplacianOptions): Csr =>
  graphLaplacian(x, 'columns', options)

/** The same over the items (rows) of x [N, F] → [N, N], sparse. */
export const itemLaplacian = (x: DenseMatrix, options: GraphLaplacianOptions): Csr =>
  graphLaplacian(x, 'rows', options)

const graphLaplacian = (
  x: DenseMatrix,
  nodes: 'rows' | 'columns',
  { k, metric, eps, kernel, sigma, p, sparsify = false, normalization, ...watched }: GraphLaplacianOptions,
): Csr => {
  const weighted = affinity(knnGraph(x, { k, nodes, metric, eps, ...watched }), { kernel, sigma, p })
  return laplacian(symmetrize(sparsify ? strongestHalf(weighted) : weighted), { normalization })
}
