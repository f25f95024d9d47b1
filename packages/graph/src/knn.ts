import { checkDense, checkInteger, type DenseMatrix } from './dense.ts'
import { distanceTile, type Metric, pointsOf, TILE } from './distance.ts'
import { GraphError } from './errors.ts'

/** For each node its neighbours, nearest first, equal distances by index: node i owns entries [indptr[i], indptr[i + 1]). */
export interface NeighbourLists {
  nNodes: number
  indptr: Int32Array
  indices: Int32Array
  distances: Float64Array
}

export interface KnnOptions {
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
 *  Throws GraphError for k, eps or x out of range. */
export const knnGraph = (
  x: DenseMatrix,
  { k, nodes, metric = 'cosine', eps = null }: KnnOptions,
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
  const points = pointsOf(x, nodes, metric)
  const nearest = new BoundedNeighbours(count, k)
  const tile = new Float64Array(TILE * TILE)
  for (let i0 = 0; i0 < count; i0 += TILE) {
    const i1 = Math.min(count, i0 + TILE)
    for (let j0 = i0; j0 < count; j0 += TILE) {
      const j1 = Math.min(count, j0 + TILE)
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
  return nearest.toLists(eps ?? Number.POSITIVE_INFINITY)
}

/** The k smallest (distance, index) pairs of every node: one max-heap of k slots per node in two shared arrays. */
class BoundedNeighbours {
  readonly #count: number
  readonly #k: number
  readonly #size: Int32Array
  readonly #distances: Float64Array
  readonly #indices: Int32Array

  constructor(count: number, k: number) {
    this.#count = count
    this.#k = k
    this.#size = new Int32Array(count)
    this.#distances = new Float64Array(count * k)
    this.#indices = new Int32Array(count * k)
  }

  /** Offer `other` as a neighbour of `node`; kept if it is among the k smallest so far. */
  offer(node: number, other: number, distance: number): void {
    const root = node * this.#k
    const size = this.#size[node]
    if (size < this.#k) {
      this.#size[node] = size + 1
      this.#siftUp(root, size, distance, other)
    } else if (
      distance < this.#distances[root] ||
      (distance === this.#distances[root] && other < this.#indices[root])
    ) {
      this.#siftDown(root, distance, other)
    }
  }

  #siftUp(root: number, at: number, distance: number, index: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1
      const d = this.#distances[root + parent]
      if (d > distance || (d === distance && this.#indices[root + parent] > index)) break
      this.#distances[root + at] = d
      this.#indices[root + at] = this.#indices[root + parent]
      at = parent
    }
    this.#distances[root + at] = distance
    this.#indices[root + at] = index
  }

  #siftDown(root: number, distance: number, index: number): void {
    const distances = this.#distances
    const indices = this.#indices
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#k) break
      const right = child + 1
      if (
        right < this.#k &&
        (distances[root + right] > distances[root + child] ||
          (distances[root + right] === distances[root + child] &&
            indices[root + right] > indices[root + child]))
      ) {
        child = right
      }
      const d = distances[root + child]
      if (d < distance || (d === distance && indices[root + child] < index)) break
      distances[root + at] = d
      indices[root + at] = indices[root + child]
      at = child
    }
    distances[root + at] = distance
    indices[root + at] = index
  }

  /** Sorted lists of the neighbours within eps. */
  toLists(eps: number): NeighbourLists {
    const indptr = new Int32Array(this.#count + 1)
    const indices = new Int32Array(this.#count * this.#k)
    const distances = new Float64Array(this.#count * this.#k)
    let at = 0
    for (let node = 0; node < this.#count; node++) {
      const root = node * this.#k
      const order = Array.from({ length: this.#size[node] }, (_, n) => root + n)
        .filter((n) => this.#distances[n] <= eps)
        .sort((a, b) => this.#distances[a] - this.#distances[b] || this.#indices[a] - this.#indices[b])
      for (const n of order) {
        indices[at] = this.#indices[n]
        distances[at++] = this.#distances[n]
      }
      indptr[node + 1] = at
    }
    return { nNodes: this.#count, indptr, indices: indices.slice(0, at), distances: distances.slice(0, at) }
  }
}
