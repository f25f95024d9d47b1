import { checkPositive } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import type { NeighbourLists } from '../neighbors/bounded.ts'
import { checkLists } from '../neighbors/check-lists.ts'

/** rational: w = 1 / (1 + (d/σ)^p), ArrowSpace's;  gaussian: w = exp(−d² / 2σ²). Both fall from 1 at d = 0 towards 0. */
export type Kernel = 'rational' | 'gaussian'

export interface AffinityOptions {
  /** 'rational' unless given */
  kernel?: Kernel
  /** distance at which a rational weight is 1/2; standard deviation of a gaussian one; in the unit of the distances */
  sigma: number
  /** exponent of the rational kernel, 2 unless given; the gaussian ignores it */
  p?: number
}

/** Neighbour lists with a weight per neighbour, in the order of the lists. */
export interface WeightedLists {
  nNodes: number
  indptr: Int32Array
  indices: Int32Array
  weights: Float64Array
}

/** Weight of one distance d ≥ 0; NaN for NaN. Nothing is checked: `affinity` does. */
export const kernelWeight = (
  distance: number,
  { kernel = 'rational', sigma, p = 2 }: AffinityOptions,
): number =>
  kernel === 'gaussian'
    ? Math.exp(-(distance * distance) / (2 * sigma * sigma))
    : 1 / (1 + (distance / sigma) ** p)

/** The distance that a rational weight in (0, 1] stands for: d = σ (1/w − 1)^(1/p); ∞ for a weight of 0, NaN for one above 1. */
export const impliedDistance = (weight: number, sigma: number, p: number): number =>
  sigma * (1 / weight - 1) ** (1 / p)

/** Distances → weights, lists unchanged. Throws GraphError unless σ > 0 and p > 0, and for lists that are not well formed or have a distance
 *  that is negative or not finite, naming its place. */
export const affinity = (lists: NeighbourLists, options: AffinityOptions): WeightedLists => {
  const { kernel = 'rational', sigma, p = 2 } = options
  if (kernel !== 'rational' && kernel !== 'gaussian') {
    throw new GraphError(`affinity: kernel must be 'rational' or 'gaussian', got '${kernel}'`)
  }
  checkPositive('affinity', 'sigma', sigma)
  checkPositive('affinity', 'p', p)
  checkLists('affinity', lists, lists.distances, {
    name: 'distances',
    rule: 'finite and at least 0',
    isRight: (d) => d >= 0 && d < Number.POSITIVE_INFINITY,
  })
  return {
    nNodes: lists.nNodes,
    indptr: lists.indptr,
    indices: lists.indices,
    weights: Float64Array.from(lists.distances, (d) => kernelWeight(d, options)),
  }
}
