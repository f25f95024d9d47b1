import { expectTypeOf, it } from 'vitest'
import type * as graph from './index.ts'

type Graph = typeof graph
/** Names of the functions that return a promise. */
type Promised = {
  [Name in keyof Graph]: Graph[Name] extends (...args: never[]) => Promise<unknown> ? Name : never
}[keyof Graph]

it('a function returns a promise if its time grows faster than its input, or if it may open a device, a file or a model', () => {
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
