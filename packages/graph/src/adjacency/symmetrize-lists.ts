import { checkLists } from '../neighbors/check-lists.ts'
import { type Csr, csrFromCoo } from '../sparse/csr.ts'
import type { WeightedLists } from './kernel.ts'
import { symmetrizeGraph } from './symmetrize.ts'

/** Weights at or below this are no edge (the reference's constant). */
export const WEIGHT_FLOOR = 1e-12

/** Union symmetrisation: i and j are joined if either lists the other and the weight exceeds `floor`. Two directions with unequal
 *  weights give the larger. → symmetric adjacency [n, n] without diagonal. Throws GraphError if a list names a node twice
 *  or is not well formed, and for a weight that is not finite, naming its place. */
export const symmetrize = (lists: WeightedLists, floor = WEIGHT_FLOOR): Csr => {
  const { nNodes, indptr, indices, weights } = lists
  checkLists('symmetrize', lists, weights, { name: 'weights', rule: 'finite', isRight: Number.isFinite })
  const row: number[] = []
  const col: number[] = []
  const value: number[] = []
  for (let i = 0; i < nNodes; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!(weights[e] > floor) || indices[e] === i) continue
      row.push(i)
      col.push(indices[e])
      value.push(weights[e])
    }
  }
  const directed = csrFromCoo({ nRows: nNodes, nCols: nNodes, row, col, value }, { duplicates: 'error' })
  return symmetrizeGraph(directed, 'union')
}
