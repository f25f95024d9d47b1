import { checkDense, checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'
import { BoundedNeighbours, type NeighbourLists } from './bounded.ts'
import { distanceTile, type Metric, pointsOf, TILE } from './distance.ts'

export interface KnnOptions extends WatchOptions {
  /** neighbours per node, between 1 and nodes − 1 */
  k: number
  /** nodes are items (rows of x) or features (columns of x) */
  nodes: 'rows' | 'columns'
  /** 'cosine' unless given */
  metric?: Metric
  /** of the k nearest, keep those with distance ≤ eps; null (the default) keeps all k */
  eps?: number | null
}

/** Exact k nearest neighbours by tiles of the distance matrix: O(n² · dim) time, each pair computed once; O(n · (dim + k)) memory.
 *  x [N, F] finite → lists of at most k others per node. Ties, also at the k-th place, go to the smaller index.
 *  Throws GraphError for k, eps or x out of range; the signal's reason when it is aborted. */
export const knnGraph = (
  x: DenseMatrix,
  { k, nodes, metric = 'cosine', eps = null, ...options }: KnnOptions,
): NeighbourLists => {
  checkDense('knn', x)
  const count = nodes === 'rows' ? x.rows : x.cols
  if (count < 2) {
    throw new GraphError(`knn: a graph needs at least 2 nodes (${nodes}), got ${count}; add data`)
  }
  if (!Number.isSafeInteger(k) || k < 1 || k > count - 1) {
    const advice = k > count - 1 ? `lower k or add ${nodes}` : 'raise k'
    throw new GraphError(
      `knn: k must be an integer between 1 and ${count - 1} (nodes - 1), got ${k}; ${advice}`,
    )
  }
  if (eps !== null && !(eps >= 0)) {
    throw new GraphError(`knn: eps must be null or a number of at least 0, got ${eps}`)
  }
  checkInteger('knn', 'nodes × k', count * k, 1, 2 ** 31 - 1, 'lower k')
  const watch = new Watch(options)
  const points = pointsOf(x, nodes, metric)
  const nearest = new BoundedNeighbours(count, k)
  const tile = new Float64Array(TILE * TILE)
  for (let i0 = 0; i0 < count; i0 += TILE) {
    const i1 = Math.min(count, i0 + TILE)
    for (let j0 = i0; j0 < count; j0 += TILE) {
      const j1 = Math.min(count, j0 + TILE)
      watch.step(1 - (1 - i0 / count) ** 2)
      distanceTile(points, i0, i1, j0, j1, tile)
      for (let i = i0; i < i1; i++) {
        for (let j = Math.max(j0, i + 1); j < j1; j++) {
          const distance = tile[(i - i0) * TILE + j - j0]
          nearest.offer(i, j, distance)
          nearest.offer(j, i, distance)
        }
      }
    }
  }
  watch.finish()
  return nearest.toLists(eps ?? Number.POSITIVE_INFINITY)
}
