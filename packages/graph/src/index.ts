export {
  type AffinityKernel,
  type AffinityOptions,
  affinity,
  type KernelOptions,
  type SelfTuningOptions,
} from './adjacency/affinity.ts'
export {
  csrFromNeighbors,
  type KneighborsGraphOptions,
  kneighborsGraph,
} from './adjacency/kneighbors-graph.ts'
export type { AdjacencyOptions } from './adjacency/pipeline.ts'
export { strongestHalf } from './adjacency/strongest-half.ts'
export { type Symmetrization, symmetrize } from './adjacency/symmetrize.ts'
export { type FiveNumbers, fiveNumbers } from './dense/five-numbers.ts'
export type { DenseMatrix } from './dense/matrix.ts'
export type { FlatPoints, Points } from './dense/points.ts'
export { type CorpusEmbedder, corpusEmbedder } from './embeddings/embedders/corpus-embedder.ts'
export { type Embedder, type EmbedderOptions, embedderOf } from './embeddings/embedders/embedder.ts'
export {
  type FeatureExtraction,
  type Transformers,
  type TransformersOptions,
  transformersEmbedder,
} from './embeddings/embedders/transformers-embedder.ts'
export { wordEmbedder } from './embeddings/embedders/word-embedder.ts'
export {
  type EmbeddingFormat,
  type EmbeddingOptions,
  embeddingsOfBytes,
  type OpenEmbeddingsOptions,
  openEmbeddings,
} from './embeddings/open.ts'
export { type LabelledEmbeddings, parseEmbeddings, readEmbeddings } from './embeddings/read.ts'
export { type EmbeddingSource, matrixSource, type RowBlock } from './embeddings/source.ts'
export { type TextEmbeddingOptions, type TextEmbeddings, textEmbeddings } from './embeddings/text/text.ts'
export type { VocabularyOptions, Weighting } from './embeddings/text/weighting.ts'
export type { WordBlock, WordVectorOptions, WordVectors } from './embeddings/words/vectors.ts'
export { parseWinkVectors } from './embeddings/words/wink.ts'
export { readWordVectors, wordVectorBlocks } from './embeddings/words/word-vectors.ts'
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
  buildManifold,
  type ManifoldInfo,
  type ManifoldOptions,
  type TauCalibration,
} from './manifold/build.ts'
export { manifoldConfig } from './manifold/config.ts'
export {
  type DescribeOptions,
  describeManifold,
  type HubReport,
  type ManifoldDescription,
  probeEnergies,
} from './manifold/describe.ts'
export type { FeatureGraphInfo, FeatureGraphOptions } from './manifold/feature-graph.ts'
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
  type ManifoldFile,
  type ManifoldMetadata,
  parseManifoldJson,
} from './manifold/metadata.ts'
export { parseManifoldParquet } from './manifold/parquet.ts'
export type { ManifoldProgress } from './manifold/passes.ts'
export type { Metric, NeighborMetric } from './neighbors/distance.ts'
export type { HnswParameters } from './neighbors/hnsw/usearch.ts'
export { type KneighborsOptions, kneighbors, type Neighbors } from './neighbors/kneighbors.ts'
export type { NeighborLists } from './neighbors/lists.ts'
export { type RadiusNeighborsOptions, radiusNeighbors } from './neighbors/radius-neighbors.ts'
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
  transposeCsr,
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
export { randomizedSvd, type SvdOptions, type TruncatedSvd } from './spectrum/svd.ts'
export { edgeDispersion } from './taumode/dispersion.ts'
export {
  fitTaumode,
  rayleighEnergies,
  type Taumode,
  type TauPolicy,
  tauFromEnergies,
} from './taumode/taumode.ts'
export {
  type TaumodeHit,
  TaumodeIndex,
  type TaumodeIndexOptions,
  type TaumodeItem,
  type TaumodeSearchOptions,
} from './taumode-index/taumode-index.ts'
export type { NeighborProgress } from './watch/pace.ts'
export type { WatchOptions } from './watch/watch.ts'
