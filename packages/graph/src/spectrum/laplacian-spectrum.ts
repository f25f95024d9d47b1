import { connectedComponents } from '../sparse/components.ts'
import { type Csr, checkCsr } from '../sparse/csr.ts'
import { denseEigenpairs } from './dense.ts'
import { smallestEigenpairs } from './smallest-eigenpairs.ts'
import { eigengap } from './spectral-clustering.ts'

/** Up to this size all eigenvalues are computed, in 0.3 s. */
const WHOLE_MAX = 512
/** Eigenvalues of a larger L. */
const SMALLEST = 64
/** The eigengap is looked for below as many parts: the largest steps of a whole spectrum are those between its hubs, at its end. */
const MOST_PARTS = 32

export interface LaplacianSpectrum {
  /** ascending: all up to 512 rows, else the 64 smallest */
  values: Float64Array
  /** whether these are all */
  isWhole: boolean
  /** the largest step among the first values, at most 33 and at most half of them, and how many parts lie before it; undefined for an L of
   *  one row */
  eigengap: { clusters: number; gap: number } | undefined
  /** eigenvector of the smallest eigenvalue above 0, of length 1: where the graph is cut most cheaply, its sign changes. Undefined where
   *  the graph is in pieces or a single node. */
  fiedler: Float64Array | undefined
}

/** Eigenvalues of a Laplacian [n, n], the eigengap and the Fiedler vector. Deterministic.
 *  Throws GraphError for an L that is not square, finite and symmetric. */
export const laplacianSpectrum = async (laplacian: Csr): Promise<LaplacianSpectrum> => {
  checkCsr('laplacianSpectrum', laplacian)
  const size = laplacian.nRows
  const isWhole = size <= WHOLE_MAX
  const { values, vectors } = isWhole
    ? await denseEigenpairs(laplacian)
    : await smallestEigenpairs(laplacian, { k: Math.min(SMALLEST, Math.floor(size / 3)) })
  const first = values.subarray(0, Math.min(MOST_PARTS + 1, Math.max(2, Math.ceil(size / 2))))
  const isCut = size > 1 && connectedComponents(laplacian).count === 1
  return {
    values,
    isWhole,
    eigengap: size > 1 ? eigengap(first) : undefined,
    fiedler: isCut
      ? Float64Array.from({ length: size }, (_, i) => vectors.data[i * vectors.cols + 1])
      : undefined,
  }
}
