import { checkLists } from '../neighbors/check-lists.ts'
import type { WeightedLists } from './kernel.ts'

/** ArrowSpace's inline sparsification: if the lists have more than 10 entries on average, every list of more than 2 keeps the
 *  better half (rounded down) by w √(deg_i deg_j), deg being the list lengths, best first and ties in list order.
 *  Throws GraphError for lists that are not well formed, and for a weight that is not finite, naming its place. */
export const strongestHalf = (lists: WeightedLists): WeightedLists => {
  const { nNodes, indptr, indices, weights } = lists
  checkLists('strongestHalf', lists, weights, { name: 'weights', rule: 'finite', isRight: Number.isFinite })
  if (indices.length / nNodes <= 10) return lists
  const degree = (node: number) => indptr[node + 1] - indptr[node]
  const kept = new Int32Array(indices.length)
  const newIndptr = new Int32Array(nNodes + 1)
  let size = 0
  for (let i = 0; i < nNodes; i++) {
    const entries = Array.from({ length: degree(i) }, (_, n) => indptr[i] + n)
    if (entries.length > 2) {
      const score = (e: number) => weights[e] * Math.sqrt(degree(i) * degree(indices[e]))
      entries.sort((a, b) => score(b) - score(a))
      entries.length = entries.length >> 1
    }
    kept.set(entries, size)
    size += entries.length
    newIndptr[i + 1] = size
  }
  const used = kept.subarray(0, size)
  return {
    nNodes,
    indptr: newIndptr,
    indices: Int32Array.from(used, (e) => indices[e]),
    weights: Float64Array.from(used, (e) => weights[e]),
  }
}
