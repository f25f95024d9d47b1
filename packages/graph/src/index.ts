export { type EdgeWeightOptions, edgeWeights } from './adjacency/affinity.ts'
export {
  type AffinityOptions,
  affinity,
  impliedDistance,
  type Kernel,
  kernelWeight,
  type WeightedLists,
} from './adjacency/kernel.ts'
export { graphFromLists, type KneighborsGraphOptions, kneighborsGraph } from './adjacency/kneighbors-graph.ts'
export { strongestHalf } from './adjacency/strongest-half.ts'
export { type Symmetrization, symmetrizeGraph } from './adjacency/symmetrize.ts'
export { symmetrize } from './adjacency/symmetrize-lists.ts'
export { type Quantiles, quantiles } from './dense/five-numbers.ts'
export type { DenseMatrix } from './dense/matrix.ts'
export type { Rows } from './dense/points.ts'
export { randomizedSvd, type SvdOptions, type TruncatedSvd } from './dense/svd.ts'
export { type CorpusEmbedder, corpusEmbedder } from './embeddings/corpus-embedder.ts'
export { type Embedder, type EmbedderOptions, embedderOf, type Vectors } from './embeddings/embedder.ts'
export {
  type EmbeddingFormat,
  type EmbeddingOptions,
  embeddingsOfBytes,
  type OpenEmbeddingsOptions,
  openEmbeddings,
} from './embeddings/open.ts'
export { type LabelledEmbeddings, parseEmbeddings, readEmbeddings } from './embeddings/read.ts'
export { type EmbeddingSource, matrixSource, type RowBlock } from './embeddings/source.ts'
export { type TextEmbeddingOptions, type TextEmbeddings, textEmbeddings } from './embeddings/text.ts'
export {
  type FeatureExtraction,
  type Transformers,
  type TransformersOptions,
  transformersEmbedder,
} from './embeddings/transformers-embedder.ts'
export type { VocabularyOptions, Weighting } from './embeddings/weighting.ts'
export { parseWinkVectors } from './embeddings/wink.ts'
export { wordEmbedder } from './embeddings/word-embedder.ts'
export {
  readWordVectors,
  type WordBlock,
  type WordVectorOptions,
  type WordVectors,
  wordVectorBlocks,
} from './embeddings/word-vectors.ts'
export { GraphError } from './errors.ts'
export type { ReduceMethod } from './gram/basis.ts'
export { type Reduced, type ReduceOptions, reduceEmbeddings } from './gram/reduce.ts'
export {
  assertLaplacian,
  checkLaplacian,
  type LaplacianCheckOptions,
  type LaplacianVerdict,
} from './laplacian/check.ts'
export {
  degrees,
  type LaplacianOptions,
  type LaplacianWithDiagonal,
  laplacian,
  type Normalization,
} from './laplacian/laplacian.ts'
export { featureLaplacian, type GraphLaplacianOptions, itemLaplacian } from './laplacian/pipeline.ts'
export {
  type BuiltManifold,
  buildManifold,
  type ManifoldInfo,
  type ManifoldOptions,
  manifoldConfig,
  type TauCalibration,
} from './manifold/build.ts'
export {
  type DescribeOptions,
  describeManifold,
  type HubReport,
  type ManifoldDescription,
  probeEnergies,
} from './manifold/describe.ts'
export {
  builderConfig,
  type DomainLaplacianInfo,
  type DomainLaplacianOptions,
  domainLaplacian,
  type GraphOfFeatures,
} from './manifold/feature-graph.ts'
export {
  encodeManifold,
  type Manifold,
  type ManifoldOrigin,
  readManifold,
  type WriteManifoldOptions,
  writeManifold,
} from './manifold/files.ts'
export {
  type ConfigValue,
  configNumber,
  encodeManifoldJson,
  type ManifoldFile,
  type ManifoldMetadata,
  parseManifoldJson,
} from './manifold/metadata.ts'
export { encodeManifoldParquet, parseManifoldParquet } from './manifold/parquet.ts'
export type { ManifoldProgress } from './manifold/passes.ts'
export type { NeighbourLists } from './neighbors/bounded.ts'
export type { Metric, NeighbourMetric } from './neighbors/distance.ts'
export { type KNeighborsOptions, kneighbors } from './neighbors/kneighbors.ts'
export { type KnnOptions, knnGraph } from './neighbors/knn.ts'
export { type Neighbours, type NeighboursOptions, neighbours } from './neighbors/neighbours.ts'
export { type RadiusNeighborsOptions, radiusNeighbors } from './neighbors/radius-neighbors.ts'
export type { HnswParameters } from './neighbors/usearch.ts'
export {
  type EdgeResistances,
  effectiveResistances,
  type ResistanceOptions,
} from './resistance/effective-resistance.ts'
export {
  type ResistanceSparsified,
  type ResistanceSparsifyOptions,
  sparsifyByResistance,
} from './resistance/sparsify-by-resistance.ts'
export { type Components, connectedComponents } from './sparse/components.ts'
export {
  type Coo,
  type Csr,
  checkCsr,
  csrFromCoo,
  csrFromDense,
  diagonal,
  nnz,
  spmm,
  spmv,
  symmetryError,
  toCoo,
  toDense,
  transpose,
  valueAt,
} from './sparse/csr.ts'
export { DeviceCsr } from './sparse/device-csr.ts'
export { csrFromMlMatrix, toMlMatrix } from './sparse/ml-matrix.ts'
export { sliceCsr } from './sparse/slice.ts'
export type { EigenProgress } from './spectrum/chebyshev-davidson.ts'
export { denseEigenpairs } from './spectrum/dense.ts'
export type { Eigenpairs } from './spectrum/eigenpairs.ts'
export { type LaplacianSpectrum, laplacianSpectrum } from './spectrum/laplacian-spectrum.ts'
export { type EigenOptions, smallestEigenpairs } from './spectrum/smallest-eigenpairs.ts'
export {
  eigengap,
  type SpectralClustering,
  type SpectralClusteringOptions,
  spectralClustering,
} from './spectrum/spectral-clustering.ts'
export {
  type SpectralEmbedding,
  type SpectralEmbeddingOptions,
  spectralEmbedding,
} from './spectrum/spectral-embedding.ts'
export { edgeDispersion } from './taumode/dispersion.ts'
export {
  rayleighEnergy,
  type Taumode,
  type TauPolicy,
  tauFromComponents,
  tauFromEnergies,
  taumode,
} from './taumode/taumode.ts'
export {
  type TaumodeHit,
  TaumodeIndex,
  type TaumodeIndexOptions,
  type TaumodeItem,
  type TaumodeSearchOptions,
} from './taumode-index/taumode-index.ts'
export type { NeighbourProgress } from './watch/pace.ts'
export type { WatchOptions } from './watch/watch.ts'
