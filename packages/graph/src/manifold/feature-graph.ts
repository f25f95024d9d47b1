import type { AffinityKernel } from '../adjacency/affinity.ts'
import { csrFromNeighbors } from '../adjacency/kneighbors-graph.ts'
import { adjacencyOf, WEIGHT_FLOOR } from '../adjacency/pipeline.ts'
import { type FiveNumbers, fiveNumbers } from '../dense/five-numbers.ts'
import { checkInteger } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import type { ReduceMethod } from '../gram/basis.ts'
import { featureNeighbors } from '../gram/feature-neighbors.ts'
import type { Gram } from '../gram/gram.ts'
import { type Reduction, reduceGram } from '../gram/reduction.ts'
import { laplacian, type Normalization } from '../laplacian/laplacian.ts'
import type { Metric } from '../neighbors/distance.ts'
import type { NeighborLists } from '../neighbors/lists.ts'
import { type Csr, diagonal } from '../sparse/csr.ts'

/** The settings that turn features into a graph. */
export interface FeatureGraphOptions {
  /** D, the number of features of the result, e.g. the head dim; at least 2 */
  dim: number
  /** neighbours per feature; unless given (D − 1) / 4 rounded up, at most 15 */
  k?: number
  /** scale of the kernel; unless given the median distance of the chosen neighbours, so that half of the
   *  rational weights exceed 1/2 */
  sigma?: number
  /** exponent of the rational kernel, 2 unless given */
  p?: number
  /** largest distance of a neighbour; null (no limit) unless given */
  eps?: number | null
  /** 'cosine' unless given */
  metric?: Metric
  /** 'rational' unless given */
  kernel?: AffinityKernel
  /** see `strongestHalf`; false unless given */
  sparsify?: boolean
  /** 'none' unless given; 'random-walk' is refused, because it is not symmetric */
  normalization?: Exclude<Normalization, 'random-walk'>
  /** see `reduceEmbeddings`; 'random' unless given; 'none' keeps the features as they are and requires width
   *  = dim */
  reduce?: ReduceMethod | 'none'
  /** whether the column means are subtracted before reducing; false unless given (centring moves all cosines
   *  of features towards 0) */
  center?: boolean
  /** seed of the random directions, 0 unless given */
  seed?: number
}

/** The result in numbers, and every setting with its value, also those that were left out. */
export interface FeatureGraphInfo {
  rows: number
  width: number
  dim: number
  reduce: ReduceMethod | 'none'
  center: boolean
  /** share of the squared elements that the reduction kept */
  keptEnergy: number
  k: number
  sigma: number
  /** whether sigma was given, or is the median neighbour distance */
  sigmaFrom: 'given' | 'median neighbour distance'
  p: number
  eps: number | null
  metric: Metric
  kernel: AffinityKernel
  sparsify: boolean
  normalization: 'none' | 'symmetric'
  seed: number
  edges: number
  isolated: number
  distances: FiveNumbers
  weights: FiveNumbers
}

// Weights that differ by less than this share tell no more than the list of edges. PCA scores gave 0.4 %.
const EQUAL_WEIGHTS = 0.01

/** The Laplacian D − W over D features from their products alone, and the directions of the reduction. It
 *  runs `reduceGram`, `featureNeighbors`, `adjacencyOf` and `laplacian`. `gram` must be centred if the
 *  options ask for it.
 *  Throws GraphError, naming the setting, for settings out of range and for a graph without information: no
 *  edges, or all weights equal. */
export const laplacianOfGram = (
  gram: Gram,
  options: FeatureGraphOptions,
): { laplacian: Csr; info: FeatureGraphInfo; reduction: Reduction } => {
  const { dim, p = 2, eps = null, metric = 'cosine', kernel = 'rational' } = options
  const { sparsify = false, normalization = 'none', center = false, seed = 0, reduce = 'random' } = options
  checkInteger('buildManifold', 'dim', dim, 2, 2 ** 20, 'a graph needs two features')
  const { k = Math.min(15, Math.ceil((dim - 1) / 4)) } = options
  const reduction = reduceGram(gram, { dim, method: reduce, seed })
  const lists = featureNeighbors(reduction.gram, { k, metric, eps })
  checkDistances(lists, eps, k)
  const sigma = options.sigma ?? fiveNumbers(lists.distances).median
  if (options.sigma === undefined && sigma === 0) {
    throw new GraphError(
      `buildManifold: the median neighbour distance must not be 0, got 0 with k ${k}, so half of the features are copies; ` +
        'pass sigma, or other embeddings',
    )
  }
  const distances = csrFromNeighbors(lists, { mode: 'distance' })
  const { weights, adjacency } = adjacencyOf(distances, { kernel, sigma, p, sparsify })
  checkWeights(weights, adjacency, { sigma, reduce, metric, kernel })
  // the type excludes other values, but JavaScript callers can pass them
  if (normalization !== 'none' && normalization !== 'symmetric') {
    throw new GraphError(`buildManifold: normalization must be 'none' or 'symmetric', got '${normalization}'`)
  }
  const result = laplacian(adjacency, { normalization })
  const info: FeatureGraphInfo = {
    rows: gram.rows,
    width: gram.cols,
    dim,
    reduce,
    center,
    keptEnergy: reduction.keptEnergy,
    k,
    sigma,
    sigmaFrom: options.sigma === undefined ? 'median neighbour distance' : 'given',
    p,
    eps,
    metric,
    kernel,
    sparsify,
    normalization,
    seed,
    edges: adjacency.values.length / 2,
    isolated: diagonal(result).filter((degree) => degree === 0).length,
    distances: fiveNumbers(lists.distances),
    weights: fiveNumbers(adjacency.values),
  }
  return { laplacian: result, info, reduction }
}

const checkDistances = (lists: NeighborLists, eps: number | null, k: number): void => {
  if (lists.distances.length === 0) {
    throw new GraphError(
      `buildManifold: the graph must have edges, got none within eps ${eps} among the ${k} nearest of ${lists.nNodes} features; ` +
        'raise eps or leave it out',
    )
  }
}

const checkWeights = (
  weights: Csr,
  adjacency: Csr,
  { sigma, reduce, metric, kernel }: Pick<FeatureGraphInfo, 'sigma' | 'reduce' | 'metric' | 'kernel'>,
): void => {
  const { min, max } = fiveNumbers(adjacency.values)
  const edges = adjacency.values.length / 2
  if (edges === 0) {
    const largest = fiveNumbers(weights.values).max
    throw new GraphError(
      `buildManifold: some weight must exceed ${WEIGHT_FLOOR}, got at most ${largest} with sigma ${sigma} (${kernel}); raise sigma`,
    )
  }
  if (edges > 1 && max - min <= EQUAL_WEIGHTS * max) {
    const cause =
      reduce === 'pca' && metric !== 'euclidean'
        ? "PCA scores are mutually orthogonal, so all cosine distances are 1; use reduce 'random' or 'rotated-pca'"
        : min > 1 - EQUAL_WEIGHTS
          ? `sigma ${sigma} is far above the distances, or the features are copies; lower sigma, or use other embeddings`
          : `with metric '${metric}' and reduce '${reduce}' all features are equally far apart, as in noise; try another metric, ` +
            `${reduce === 'random' ? '' : "reduce 'random' "}or other embeddings`
    throw new GraphError(
      `buildManifold: weights must differ, got ${edges} edges from ${min.toPrecision(4)} to ${max.toPrecision(4)}: ${cause}`,
    )
  }
}
