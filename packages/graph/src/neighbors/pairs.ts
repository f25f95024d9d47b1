import { GraphError } from '../errors.ts'
import type { NeighborLists } from './lists.ts'

/** Sorts entries [begin, end) by (distance, index), in place. */
export const sortNeighbors = (
  distances: Float64Array,
  indices: Int32Array,
  begin: number,
  end: number,
): void => {
  if (end - begin <= 48) insertionSort(distances, indices, begin, end)
  else {
    const order = Array.from({ length: end - begin }, (_, n) => begin + n)
    order.sort((a, b) => distances[a] - distances[b] || indices[a] - indices[b])
    const [sortedDistances, sortedIndices] = [order.map((n) => distances[n]), order.map((n) => indices[n])]
    distances.set(sortedDistances, begin)
    indices.set(sortedIndices, begin)
  }
}

const insertionSort = (distances: Float64Array, indices: Int32Array, begin: number, end: number): void => {
  for (let n = begin + 1; n < end; n++) {
    const distance = distances[n]
    const index = indices[n]
    let at = n
    for (; at > begin; at--) {
      const before = distances[at - 1]
      if (before < distance || (before === distance && indices[at - 1] < index)) break
      distances[at] = before
      indices[at] = indices[at - 1]
    }
    distances[at] = distance
    indices[at] = index
  }
}

/** A growing collection of neighbours in any order, with 16 bytes each. */
export class Pairs {
  #length = 0
  #rows = new Int32Array(1024)
  #indices = new Int32Array(1024)
  #distances = new Float64Array(1024)

  add(row: number, index: number, distance: number): void {
    if (this.#length === this.#rows.length) this.#grow()
    const n = this.#length++
    this.#rows[n] = row
    this.#indices[n] = index
    this.#distances[n] = distance
  }

  #grow(): void {
    const length = Math.min(2 ** 31 - 1, this.#rows.length * 2)
    if (length === this.#length) {
      throw new GraphError(
        `radiusNeighbors: all lists together must hold at most ${length} neighbours, got more; lower radius`,
      )
    }
    const copy = <A extends Int32Array | Float64Array>(to: A, from: A): A => {
      to.set(from)
      return to
    }
    this.#rows = copy(new Int32Array(length), this.#rows)
    this.#indices = copy(new Int32Array(length), this.#indices)
    this.#distances = copy(new Float64Array(length), this.#distances)
  }

  /** Sorts the pairs into lists of `rows` rows, nearest first. */
  toLists(rows: number): NeighborLists {
    const indptr = new Int32Array(rows + 1)
    for (let n = 0; n < this.#length; n++) indptr[this.#rows[n] + 1]++
    for (let row = 0; row < rows; row++) indptr[row + 1] += indptr[row]
    const next = indptr.slice(0, rows)
    const indices = new Int32Array(this.#length)
    const distances = new Float64Array(this.#length)
    for (let n = 0; n < this.#length; n++) {
      const at = next[this.#rows[n]]++
      indices[at] = this.#indices[n]
      distances[at] = this.#distances[n]
    }
    for (let row = 0; row < rows; row++) sortNeighbors(distances, indices, indptr[row], indptr[row + 1])
    return { nNodes: rows, indptr, indices, distances }
  }
}
