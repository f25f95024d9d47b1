import { connectedComponents } from '../sparse/components.ts'
import { type Csr, checkCsr } from '../sparse/csr.ts'
import { denseEigenpairs } from './dense.ts'
import { smallestEigenpairs } from './smallest-eigenpairs.ts'
import { eigengap } from './spectral-clustering.ts'

/** Up to this size all eigenvalues are computed, which takes 0.3 s. */
const WHOLE_MAX = 512
/** Number of smallest eigenvalues for a larger L. */
const SMALLEST = 64
/** Most clusters that the eigengap may give. In a whole spectrum the largest gaps lie at its upper end,
 *  between hubs, and mean nothing here. */
const MOST_PARTS = 32

export interface LaplacianSpectrum {
  /** ascending: all of them up to 512 rows, else the 64 smallest */
  values: Float64Array
  /** whether `values` holds all eigenvalues */
  isWhole: boolean
  /** the largest gap among the first values (at most 33, and at most half of them), and the number of
   *  clusters before it; undefined for an L of one row */
  eigengap: { clusters: number; gap: number } | undefined
  /** Eigenvector of the smallest eigenvalue above 0, of length 1. Its sign changes at the cheapest cut of the
   *  graph. Undefined if the graph is not connected or has a single node. */
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
