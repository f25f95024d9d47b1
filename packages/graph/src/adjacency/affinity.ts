import { checkInteger, checkPositive } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import { type Csr, checkCsr } from '../sparse/csr.ts'
import { kernelWeight } from './kernel.ts'

/** How a distance d becomes a weight:
 *  gaussian: exp(−d² / 2σ²);  heat: exp(−d² / t);  rational: 1 / (1 + (d/σ)^p), ArrowSpace's, p = 2 unless given;
 *  self-tuning: exp(−d² / (σ_i σ_j)), σ_i being the distance of node i to its `neighbour`-th neighbour, the 7th unless given, or to the
 *  last it has. */
export type EdgeWeightOptions =
  | { kernel: 'gaussian'; sigma: number }
  | { kernel: 'heat'; t: number }
  | { kernel: 'rational'; sigma: number; p?: number }
  | { kernel: 'self-tuning'; neighbour?: number }

/** Distances [n, n] (`kneighborsGraph` with mode 'distance') → weights in (0, 1] at the same places; a stored distance of 0 weighs 1.
 *  Self-tuning asks for every row: σ_i is of the stored distances of row i, so a node whose nearest `neighbour` points coincide with it
 *  gets the least positive distance of its row, or 1 if there is none.
 *  Source: Zelnik-Manor and Perona, "Self-tuning spectral clustering", NIPS 2004.
 *  Throws GraphError for a scale that is not positive, and for a distance that is negative or not finite, naming its place. */
export const edgeWeights = (distances: Csr, options: EdgeWeightOptions): Csr => {
  checkDistances(distances)
  return { ...distances, values: weigh(distances, options) }
}

const weigh = (distances: Csr, options: EdgeWeightOptions): Float64Array => {
  switch (options.kernel) {
    case 'gaussian':
      checkPositive('edgeWeights', 'sigma', options.sigma)
      return distances.values.map((d) => kernelWeight(d, options))
    case 'heat':
      checkPositive('edgeWeights', 't', options.t)
      return distances.values.map((d) => Math.exp(-(d * d) / options.t))
    case 'rational':
      checkPositive('edgeWeights', 'sigma', options.sigma)
      checkPositive('edgeWeights', 'p', options.p ?? 2)
      return distances.values.map((d) => kernelWeight(d, options))
    case 'self-tuning':
      return selfTuned(distances, options.neighbour ?? 7)
    default:
      throw new GraphError(
        `edgeWeights: kernel must be 'gaussian', 'heat', 'rational' or 'self-tuning', got '${(options satisfies never as { kernel: string }).kernel}'`,
      )
  }
}

const selfTuned = (distances: Csr, neighbour: number): Float64Array => {
  checkInteger('edgeWeights', 'neighbour', neighbour, 1, Number.MAX_SAFE_INTEGER, 'use 7')
  const { nRows, nCols, indptr, indices, values } = distances
  if (nRows !== nCols) {
    throw new GraphError(`edgeWeights: self-tuning needs a square matrix, got [${nRows}, ${nCols}]`)
  }
  const scale = new Float64Array(nRows)
  for (let i = 0; i < nRows; i++) {
    const own = Array.from({ length: indptr[i + 1] - indptr[i] }, (_, n) => indptr[i] + n)
      .filter((e) => indices[e] !== i)
      .map((e) => values[e])
      .sort((a, b) => a - b)
    scale[i] = own[Math.min(neighbour, own.length) - 1] || own.find((d) => d > 0) || 1
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
  checkCsr('edgeWeights', distances)
  const { nRows, indptr, indices, values } = distances
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!(values[e] >= 0) || values[e] === Number.POSITIVE_INFINITY) {
        throw new GraphError(
          `edgeWeights: distances must be finite and at least 0, got ${values[e]} at (${i}, ${indices[e]})`,
        )
      }
    }
  }
}
