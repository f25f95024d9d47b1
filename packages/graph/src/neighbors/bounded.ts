import type { NeighborLists } from './lists.ts'

/** The k smallest (distance, index) pairs of every node: one max-heap of k slots per node, in two shared
 *  arrays. */
export class BoundedNeighbors {
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

  /** Offers `other` as a neighbour of `node`. It is kept if it is among the k smallest so far. */
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
  toLists(eps: number): NeighborLists {
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
