import { expectTypeOf, it } from 'vitest'
import type * as graph from './index.ts'

type Graph = typeof graph
/** Names of the functions that return a promise. */
type Promised = {
  [Name in keyof Graph]: Graph[Name] extends (...args: never[]) => Promise<unknown> ? Name : never
}[keyof Graph]

it('promises are what takes longer than in proportion to its input, may open a device, or waits for a file or a model', () => {
  expectTypeOf<Promised>().toEqualTypeOf<
    // all pairs of points
    | 'kneighbors'
    | 'radiusNeighbors'
    | 'kneighborsGraph'
    | 'itemLaplacian'
    | 'featureLaplacian'
    // eigenvectors and equations in L
    | 'smallestEigenpairs'
    | 'denseEigenpairs'
    | 'laplacianSpectrum'
    | 'spectralEmbedding'
    | 'spectralClustering'
    | 'effectiveResistances'
    | 'sparsifyByResistance'
    // a device
    | 'buildManifold'
    // files and models
    | 'embeddingsOfBytes'
    | 'encodeManifold'
    | 'openEmbeddings'
    | 'parseEmbeddings'
    | 'parseManifoldParquet'
    | 'readEmbeddings'
    | 'readManifold'
    | 'readWordVectors'
    | 'transformersEmbedder'
    | 'writeManifold'
  >()
})
