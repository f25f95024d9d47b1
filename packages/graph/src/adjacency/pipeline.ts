import { type Csr, keepEntries } from '../sparse/csr.ts'
import { affinity, type KernelOptions } from './affinity.ts'
import { strongestHalf } from './strongest-half.ts'
import { symmetrize } from './symmetrize.ts'

/** A weight at or below this value is not an edge (ArrowSpace's constant). */
export const WEIGHT_FLOOR = 1e-12

export interface AdjacencyOptions extends KernelOptions {
  /** whether to keep only the stronger half of each row (see `strongestHalf`); false unless given */
  sparsify?: boolean
}

/** Turns distances of neighbours [n, n] into a graph by ArrowSpace's rules. It computes weights, keeps the
 *  stronger half of them if `sparsify`, and drops weights at or below the floor. Then it symmetrizes by
 *  union. Returns the weights of the neighbours, and the symmetric adjacency without diagonal.
 *  Source: L. Moriondo, ArrowSpace, JOSS 10.21105/joss.09002. Throws GraphError as `affinity` does. */
export const adjacencyOf = (
  distances: Csr,
  { sparsify = false, ...kernel }: AdjacencyOptions,
): { weights: Csr; adjacency: Csr } => {
  const weights = affinity(distances, kernel)
  const kept = sparsify ? strongestHalf(weights) : weights
  const edges = keepEntries(kept, (e, i) => kept.values[e] > WEIGHT_FLOOR && kept.indices[e] !== i)
  return { weights, adjacency: symmetrize(edges) }
}
