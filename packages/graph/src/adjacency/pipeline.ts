import { type Csr, keepEntries } from '../sparse/csr.ts'
import { affinity, type KernelOptions } from './affinity.ts'
import { strongestHalf } from './strongest-half.ts'
import { symmetrize } from './symmetrize.ts'

/** Weights at or below this are no edge (ArrowSpace's constant). */
export const WEIGHT_FLOOR = 1e-12

export interface AdjacencyOptions extends KernelOptions {
  /** ArrowSpace's inline sparsification (see `strongestHalf`), off unless given */
  sparsify?: boolean
}

/** From the distances of neighbours [n, n] to a graph, by ArrowSpace's rules: weights, the stronger half of them if asked for, none at or
 *  below the floor, union. → weights of the neighbours, and the symmetric adjacency without diagonal.
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
