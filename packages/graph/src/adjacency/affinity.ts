import { checkInteger, checkPositive } from '../dense/matrix.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { type Csr, checkCsr } from '../sparse/csr.ts'

/** A weight as a function of one distance d. It falls from 1 at d = 0 towards 0.
 *  rational: 1 / (1 + (d/σ)^p), as in ArrowSpace;  gaussian: exp(−d² / 2σ²), scikit-learn's rbf kernel with γ
 *  = 1 / 2σ². */
export type AffinityKernel = 'rational' | 'gaussian'

export interface KernelOptions {
  /** 'rational' unless given */
  kernel?: AffinityKernel
  /** distance at which a rational weight is 1/2; standard deviation of a gaussian weight; in the unit of the
   *  distances */
  sigma: number
  /** exponent of the rational kernel, 2 unless given; the gaussian kernel ignores it */
  p?: number
}

/** self-tuning: exp(−d² / (σ_i σ_j)). σ_i is the distance of node i to its k-th neighbour, or to its last one
 *  if it has fewer. k is 7 unless given. */
export interface SelfTuningOptions {
  kernel: 'self-tuning'
  k?: number
}

export type AffinityOptions = KernelOptions | SelfTuningOptions

/** Distances [n, n] (`kneighborsGraph` with mode 'distance') → weights in (0, 1] at the same places. A stored
 *  distance of 0 gets weight 1.
 *  Self-tuning takes σ_i from the stored distances of row i. If the k nearest points of a node coincide with
 *  it, σ_i is the least positive distance of its row. It is 1 if there is none.
 *  Source: Zelnik-Manor and Perona, "Self-tuning spectral clustering", NIPS 2004.
 *  Throws GraphError for an unknown kernel, a scale that is not positive, and a distance that is negative or
 *  not finite, naming its place. */
export const affinity = (distances: Csr, options: AffinityOptions): Csr => {
  checkOptions('affinity', options, '{ sigma }')
  checkDistances(distances)
  return { ...distances, values: weigh(distances, options) }
}

const weigh = (distances: Csr, options: AffinityOptions): Float64Array => {
  if (options.kernel === 'self-tuning') return selfTuned(distances, options.k ?? 7)
  const { kernel = 'rational', sigma, p = 2 } = options
  if (kernel !== 'rational' && kernel !== 'gaussian') {
    throw new GraphError(
      `affinity: kernel must be 'rational', 'gaussian' or 'self-tuning', got '${kernel satisfies never}'`,
    )
  }
  checkPositive('affinity', 'sigma', sigma)
  checkPositive('affinity', 'p', p)
  return distances.values.map((d) => kernelWeight(d, options))
}

/** Weight of one distance d ≥ 0; NaN for NaN. The arguments are not checked. */
export const kernelWeight = (
  distance: number,
  { kernel = 'rational', sigma, p = 2 }: KernelOptions,
): number =>
  kernel === 'gaussian'
    ? Math.exp(-(distance * distance) / (2 * sigma * sigma))
    : 1 / (1 + (distance / sigma) ** p)

/** The distance that has this rational weight, in (0, 1]: d = σ (1/w − 1)^(1/p). It is ∞ for weight 0 and NaN
 *  for weights above 1. */
export const impliedDistance = (weight: number, sigma: number, p: number): number =>
  sigma * (1 / weight - 1) ** (1 / p)

const selfTuned = (distances: Csr, k: number): Float64Array => {
  checkInteger('affinity', 'k', k, 1, Number.MAX_SAFE_INTEGER, 'use 7')
  const { nRows, nCols, indptr, indices, values } = distances
  if (nRows !== nCols) {
    throw new GraphError(`affinity: the matrix must be square for self-tuning, got [${nRows}, ${nCols}]`)
  }
  const scale = new Float64Array(nRows)
  for (let i = 0; i < nRows; i++) {
    const own = Array.from({ length: indptr[i + 1] - indptr[i] }, (_, n) => indptr[i] + n)
      .filter((e) => indices[e] !== i)
      .map((e) => values[e])
      .sort((a, b) => a - b)
    scale[i] = own[Math.min(k, own.length) - 1] || own.find((d) => d > 0) || 1
  }
  const weights = new Float64Array(values.length)
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      weights[e] = Math.exp(-(values[e] / scale[i]) * (values[e] / scale[indices[e]]))
    }
  }
  return weights
}

const checkDistances = (distances: Csr): void => {
  checkCsr('affinity', distances)
  const { nRows, indptr, indices, values } = distances
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!(values[e] >= 0) || values[e] === Number.POSITIVE_INFINITY) {
        throw new GraphError(
          `affinity: distances must be finite and at least 0, got ${values[e]} at (${i}, ${indices[e]})`,
        )
      }
    }
  }
}
