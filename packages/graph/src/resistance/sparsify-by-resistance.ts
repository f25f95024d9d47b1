import { Random } from '@tau/tensor'
import { checkInteger } from '../dense/matrix.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { type Csr, csrFromCoo, nnz } from '../sparse/csr.ts'
import { type EdgeResistances, type ResistanceOptions, resistancesOf } from './effective-resistance.ts'
import { laplacianProblem } from './laplacian-problem.ts'
import { spectralError } from './spectral-error.ts'

export interface ResistanceSparsifyOptions extends ResistanceOptions {
  /** number of edges drawn, with replacement; about 8·n·ln(n)/ε² give a relative error below ε */
  samples: number
}

export interface ResistanceSparsified {
  /** symmetric, with a subset of the edges; the weights are scaled so that their expected values are the
   *  weights of the given graph */
  adjacency: Csr
  /** undirected edges before and after */
  edges: { before: number; after: number }
  /** largest |xᵀL̃x / xᵀLx − 1| over all x with xᵀLx > 0; 1 means that a component fell apart */
  error: number
  /** exact, or by power iteration an estimate from below (more than 512 nodes) */
  errorMethod: 'exact' | 'power'
}

/** Sparsifies a graph and keeps its energies xᵀLx nearly the same. The result has the measured error. It
 *  draws edges with probability p ∝ w·R; R is the effective resistance. A drawn edge gets w/(samples·p) added
 *  to its weight. Deterministic for a seed.
 *  Source: Spielman and Srivastava, "Graph sparsification by effective resistances", SIAM J. Comput. 40
 *  (2011).
 *  Throws GraphError as `laplacian` does, for a graph without edges, and for samples out of range. */
export const sparsifyByResistance = async (
  adjacency: Csr,
  settings: ResistanceSparsifyOptions,
): Promise<ResistanceSparsified> => {
  checkOptions('sparsifyByResistance', settings, '{ samples }')
  const { samples, ...options } = settings
  checkInteger('sparsifyByResistance', 'samples', samples, 1, 2 ** 31 - 1, 'take about n·ln(n)')
  using problem = laplacianProblem('sparsifyByResistance', adjacency, options.device)
  const edges = await resistancesOf(problem, adjacency, options)
  if (edges.weight.length === 0) {
    throw new GraphError('sparsifyByResistance: the graph must have at least one edge, got none')
  }
  const sparse = drawn(adjacency.nRows, edges, samples, options.seed ?? 0)
  const { error, method } = await spectralError(problem, sparse, options)
  return {
    adjacency: sparse,
    edges: { before: edges.weight.length, after: nnz(sparse) / 2 },
    error,
    errorMethod: method,
  }
}

const drawn = (
  size: number,
  { row, col, weight, resistance }: EdgeResistances,
  samples: number,
  seed: number,
): Csr => {
  const ends = new Float64Array(weight.length)
  let total = 0
  for (let e = 0; e < ends.length; e++) {
    total += weight[e] * resistance[e]
    ends[e] = total
  }
  const counts = new Int32Array(weight.length)
  const random = new Random(seed, 1) // stream 0 is used by the projections
  for (let n = 0; n < samples; n++) counts[firstAbove(ends, (random.uint32() / 2 ** 32) * total)]++
  const kept = Array.from(counts.keys()).filter((e) => counts[e] > 0)
  const value = kept.map((e) => (counts[e] * total) / (samples * resistance[e]))
  return csrFromCoo({
    nRows: size,
    nCols: size,
    row: kept.flatMap((e) => [row[e], col[e]]),
    col: kept.flatMap((e) => [col[e], row[e]]),
    value: value.flatMap((v) => [v, v]),
  })
}

/** Index of the first of ascending numbers that is above x. */
const firstAbove = (ends: Float64Array, x: number): number => {
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle] > x) high = middle
    else low = middle + 1
  }
  return low
}
