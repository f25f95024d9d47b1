import { affinity, type Kernel, type WeightedLists } from '../adjacency/kernel.ts'
import { strongestHalf } from '../adjacency/strongest-half.ts'
import { symmetrize, WEIGHT_FLOOR } from '../adjacency/symmetrize-lists.ts'
import { type Quantiles, quantiles } from '../dense/five-numbers.ts'
import { checkDense, checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import type { ReduceMethod } from '../gram/basis.ts'
import { featureNeighbours } from '../gram/feature-neighbours.ts'
import { type Gram, gramOf } from '../gram/gram.ts'
import { type Reduction, reduceGram } from '../gram/reduction.ts'
import { laplacian, type Normalization } from '../laplacian/laplacian.ts'
import type { NeighbourLists } from '../neighbors/bounded.ts'
import type { Metric } from '../neighbors/distance.ts'
import { type Csr, diagonal } from '../sparse/csr.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'
import type { ConfigValue } from './metadata.ts'

export interface DomainLaplacianOptions extends GraphOfFeatures, WatchOptions {}

/** How features become a graph. */
export interface GraphOfFeatures {
  /** D, the number of features of the result, e.g. the head dim; at least 2 */
  dim: number
  /** neighbours per feature; unless given a quarter of D − 1, rounded up, at most 15 */
  k?: number
  /** unless given the median distance of the chosen neighbours, so that half of the rational weights exceed 1/2 */
  sigma?: number
  /** exponent of the rational kernel, 2 unless given */
  p?: number
  /** largest distance of a neighbour; null (no limit) unless given */
  eps?: number | null
  /** 'cosine' unless given */
  metric?: Metric
  /** 'rational' unless given */
  kernel?: Kernel
  /** see `strongestHalf`; false unless given */
  sparsify?: boolean
  /** 'none' unless given; 'random-walk' is not symmetric and is refused */
  normalization?: Exclude<Normalization, 'random-walk'>
  /** see `reduceEmbeddings`; 'random' unless given; 'none' takes the features as they are and needs width = dim */
  reduce?: ReduceMethod | 'none'
  /** subtract the column means before reducing; false unless given (centring moves all cosines of features towards 0) */
  center?: boolean
  /** of the random directions, 0 unless given */
  seed?: number
}

/** What was built and from what; every setting that was left out stands here with its value. */
export interface DomainLaplacianInfo {
  rows: number
  width: number
  dim: number
  reduce: ReduceMethod | 'none'
  center: boolean
  /** share of the squared elements that the reduction kept */
  keptEnergy: number
  k: number
  sigma: number
  /** whether sigma was given or is the median neighbour distance */
  sigmaFrom: 'given' | 'median neighbour distance'
  p: number
  eps: number | null
  metric: Metric
  kernel: Kernel
  sparsify: boolean
  normalization: 'none' | 'symmetric'
  seed: number
  edges: number
  isolated: number
  distances: Quantiles
  weights: Quantiles
}

// Weights that differ by less than this carry no more than the list of edges (seen with PCA scores: 0.4 %).
const EQUAL_WEIGHTS = 0.01

/** Domain Laplacian: embeddings [N, F] of any width → L [D, D], symmetric positive semidefinite, over D features: their products,
 *  reduced to D, k nearest features, affinities, union, D − W. All in f64, in memory; for files and for many rows there is `buildManifold`.
 *  Deterministic in the data, the options and the seed.
 *  Throws GraphError, naming the setting, for settings out of range and when the graph says nothing: no edges, or all weights equal. */
export const domainLaplacian = (
  embeddings: DenseMatrix,
  options: DomainLaplacianOptions,
): { laplacian: Csr; info: DomainLaplacianInfo } => {
  checkDense('domainLaplacian', embeddings)
  checkInteger('domainLaplacian', 'dim', options.dim, 2, 2 ** 20, 'a graph needs two features')
  const watch = new Watch(options)
  const gram = gramOf(embeddings, { center: options.center, step: (share) => watch.step(0.9 * share) })
  watch.step(0.9)
  const { laplacian, info } = laplacianOfGram(gram, options)
  watch.finish()
  return { laplacian, info }
}

/** The same from the features' products alone, and the directions that the embeddings were reduced to. `gram` is centred where the options
 *  say so. */
export const laplacianOfGram = (
  gram: Gram,
  options: GraphOfFeatures,
): { laplacian: Csr; info: DomainLaplacianInfo; reduction: Reduction } => {
  const { dim, p = 2, eps = null, metric = 'cosine', kernel = 'rational' } = options
  const { sparsify = false, normalization = 'none', center = false, seed = 0, reduce = 'random' } = options
  checkInteger('domainLaplacian', 'dim', dim, 2, 2 ** 20, 'a graph needs two features')
  const { k = Math.min(15, Math.ceil((dim - 1) / 4)) } = options
  const reduction = reduceGram(gram, { dim, method: reduce, seed })
  const lists = featureNeighbours(reduction.gram, { k, metric, eps })
  checkDistances(lists, eps, k)
  const sigma = options.sigma ?? quantiles(lists.distances).median
  if (options.sigma === undefined && sigma === 0) {
    throw new GraphError(
      `domainLaplacian: the median neighbour distance must not be 0, got 0 with k ${k}: half of the features are copies; ` +
        'pass sigma, or other embeddings',
    )
  }
  const weighted = affinity(lists, { kernel, sigma, p })
  const adjacency = symmetrize(sparsify ? strongestHalf(weighted) : weighted)
  checkWeights(weighted, adjacency, { sigma, reduce, metric, kernel })
  // typed callers cannot ask for it, JavaScript callers can
  if (normalization !== 'none' && normalization !== 'symmetric') {
    throw new GraphError(
      `domainLaplacian: normalization must be 'none' or 'symmetric', got '${normalization}'`,
    )
  }
  const result = laplacian(adjacency, { normalization })
  const info: DomainLaplacianInfo = {
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
    distances: quantiles(lists.distances),
    weights: quantiles(adjacency.values),
  }
  return { laplacian: result, info, reduction }
}

const checkDistances = (lists: NeighbourLists, eps: number | null, k: number): void => {
  if (lists.distances.length === 0) {
    throw new GraphError(
      `domainLaplacian: the graph must have edges, got none within eps ${eps} among the ${k} nearest of ${lists.nNodes} features; ` +
        'raise eps or leave it out',
    )
  }
}

const checkWeights = (
  weighted: WeightedLists,
  adjacency: Csr,
  { sigma, reduce, metric, kernel }: Pick<DomainLaplacianInfo, 'sigma' | 'reduce' | 'metric' | 'kernel'>,
): void => {
  const { min, max } = quantiles(adjacency.values)
  const edges = adjacency.values.length / 2
  if (edges === 0) {
    const largest = quantiles(weighted.weights).max
    throw new GraphError(
      `domainLaplacian: some weight must exceed ${WEIGHT_FLOOR}, got ${largest} at most with sigma ${sigma} (${kernel}); raise sigma`,
    )
  }
  if (edges > 1 && max - min <= EQUAL_WEIGHTS * max) {
    const cause =
      reduce === 'pca' && metric !== 'euclidean'
        ? "PCA scores are mutually orthogonal, so all cosine distances are 1; use reduce 'random' or 'rotated-pca'"
        : min > 1 - EQUAL_WEIGHTS
          ? `sigma ${sigma} is far above the distances or the features are copies; lower sigma, or use other embeddings`
          : `with metric '${metric}' and reduce '${reduce}' all features are equally far apart, as in noise; try another metric, ` +
            `${reduce === 'random' ? '' : "reduce 'random' "}or other embeddings`
    throw new GraphError(
      `domainLaplacian: weights must differ, got ${edges} edges from ${min.toPrecision(4)} to ${max.toPrecision(4)}: ${cause}`,
    )
  }
}

/** The settings as manifold.json's builder_config: ArrowSpace's keys and tags, and ours under `tau_`. */
export const builderConfig = (info: DomainLaplacianInfo): Record<string, ConfigValue> => ({
  lambda_k: { Usize: info.k },
  lambda_topk: { Usize: info.k },
  ...(info.eps === null ? {} : { lambda_eps: { F64: info.eps } }),
  lambda_p: { F64: info.p },
  lambda_sigma: { OptionF64: info.sigma },
  nfeatures: { Usize: info.dim },
  nitems: { Usize: info.rows },
  normalise: { Bool: info.normalization === 'symmetric' },
  use_dims_reduction: { Bool: info.reduce !== 'none' },
  sparsity_check: { Bool: info.sparsify },
  tau_seed: { OptionU64: info.seed },
  tau_width: { Usize: info.width },
  tau_reduce: { String: info.reduce },
  tau_center: { Bool: info.center },
  tau_kept_energy: { F64: info.keptEnergy },
  tau_metric: { String: info.metric },
  tau_kernel: { String: info.kernel },
})
