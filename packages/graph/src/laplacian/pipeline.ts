import { type KneighborsGraphOptions, kneighborsGraph } from '../adjacency/kneighbors-graph.ts'
import { type AdjacencyOptions, adjacencyOf } from '../adjacency/pipeline.ts'
import { transposed } from '../dense/multiply.ts'
import { matrixOf, type Points } from '../dense/points.ts'
import { checkOptions } from '../errors.ts'
import type { Metric } from '../neighbors/distance.ts'
import type { Csr } from '../sparse/csr.ts'
import { laplacian, type Normalization } from './laplacian.ts'

export interface GraphLaplacianOptions
  extends Omit<KneighborsGraphOptions, 'metric' | 'mode' | 'includeSelf'>,
    AdjacencyOptions {
  /** 'cosine' unless given */
  metric?: Metric
  /** 'none' unless given */
  normalization?: Normalization
}

/** The whole pipeline over features: x [N, F] → L [F, F], with the columns of x as nodes. It runs
 *  `kneighborsGraph`, `affinity`, `strongestHalf` if `sparsify`, `symmetrize` and `laplacian`. Weights at or
 *  below 1e-12 are not edges.
 *  Source: L. Moriondo, ArrowSpace, JOSS 10.21105/joss.09002. Throws as those functions do. */
export const featureLaplacian = async (points: Points, options: GraphLaplacianOptions): Promise<Csr> => {
  checkOptions('featureLaplacian', options, '{ k, sigma }')
  return graphLaplacian(transposed(matrixOf('featureLaplacian', points)), options)
}

/** The same pipeline over items: x [N, F] → sparse L [N, N], with the rows of x as nodes. */
export const itemLaplacian = async (points: Points, options: GraphLaplacianOptions): Promise<Csr> => {
  checkOptions('itemLaplacian', options, '{ k, sigma }')
  return graphLaplacian(matrixOf('itemLaplacian', points), options)
}

const graphLaplacian = async (
  nodes: Points,
  { metric = 'cosine', kernel, sigma, p, sparsify, normalization, ...search }: GraphLaplacianOptions,
): Promise<Csr> => {
  const distances = await kneighborsGraph(nodes, { ...search, metric, mode: 'distance' })
  const { adjacency } = adjacencyOf(distances, { kernel, sigma, p, sparsify })
  return laplacian(adjacency, { normalization })
}
