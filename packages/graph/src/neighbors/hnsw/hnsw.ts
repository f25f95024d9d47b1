import type { Pace } from '../../watch/pace.ts'
import { Scores } from '../device/scores.ts'
import { distanceOf, type NeighborMetric, sumsSquares } from '../distance.ts'
import type { NeighborLists } from '../lists.ts'
import { sortNeighbors } from '../pairs.ts'
import type { Search } from '../search.ts'
import { type HnswParameters, openIndex, type UsearchIndex } from './usearch.ts'

/** Threads that may search at once. The library keeps that many contexts, and which one a point is added by decides its level: the number
 *  is fixed, so that the graph is. */
const CONTEXTS = 16
/** Queries of one call. */
const BATCH_ROWS = 512
/** Candidates beyond k that are put in order in f64: the library's distances are rounded. */
const SPARE = 2
/** Share of the work that adding takes; 1 point is added in the time of this many queries on one thread. */
const ADD_PER_QUERY = 1.6

/** Approximate k nearest by a graph of navigable small worlds (HNSW, Malkov and Yashunin 2016), built and searched by usearch. Distances
 *  are exact, but a list may lack some of the nearest, and hold less than k. Points are added one by one on one thread, and searched for
 *  on `threads`: same points, same lists. */
export const hnswNearest = async (
  search: Search,
  k: number,
  threads: number,
  parameters: HnswParameters,
  pace: Pace,
): Promise<NeighborLists> => {
  const { all, queries, first, count, self } = search
  const scores = new Scores(search)
  const index = openIndex(
    all.dim,
    sumsSquares(all.metric) ? 'l2sq' : 'ip',
    isUnit(all.metric) ? 'f16' : 'f32',
    parameters,
  )
  const queryShare = 1 / (1 + (ADD_PER_QUERY * Math.min(threads, CONTEXTS) * count) / queries)
  for (let begin = 0; begin < count; begin += BATCH_ROWS) {
    await pace.step(((1 - queryShare) * begin) / count, 0)
    addPoints(index, scores, all.dim, first, begin, Math.min(count, begin + BATCH_ROWS))
  }
  const wanted = Math.min(count, k + (self ? 1 : 0) + SPARE)
  const found = new Found(search, k)
  for (let begin = 0; begin < queries; begin += BATCH_ROWS) {
    await pace.step(1 - queryShare + (queryShare * begin) / queries, begin)
    const end = Math.min(queries, begin + BATCH_ROWS)
    const vectors = scores.vectors(begin, end)
    const { keys, counts } = index.search(vectors, wanted, Math.min(threads, CONTEXTS))
    for (let row = begin; row < end; row++) {
      const from = (row - begin) * wanted
      const length = counts ? Number(counts[row - begin]) : keys.length
      found.keep(row, keys.subarray(from, from + length))
    }
  }
  return found.lists()
}

/** Unit vectors lose nothing of note in f16, and take two thirds of the time; others may leave its range. */
const isUnit = (metric: NeighborMetric): boolean => metric === 'cosine' || metric === 'cosine-unrectified'

const addPoints = (
  index: UsearchIndex,
  scores: Scores,
  dim: number,
  first: number,
  begin: number,
  end: number,
): void => {
  const vectors = scores.vectors(first + begin, first + end)
  const key = new BigUint64Array(1)
  for (let point = begin; point < end; point++) {
    key[0] = BigInt(point)
    const at = (point - begin) * dim
    index.add(key, vectors.subarray(at, at + dim), CONTEXTS)
  }
}

/** What was found, ranked by f64 distances. */
class Found {
  readonly #search: Search
  readonly #k: number
  readonly #indptr: Int32Array
  readonly #indices: Int32Array
  readonly #distances: Float64Array

  constructor(search: Search, k: number) {
    this.#search = search
    this.#k = k
    this.#indptr = new Int32Array(search.queries + 1)
    this.#indices = new Int32Array(search.queries * k)
    this.#distances = new Float64Array(search.queries * k)
  }

  /** Keeps the k nearest of some points; rows must come in order. */
  keep(row: number, keys: BigUint64Array): void {
    const { all, self } = this.#search
    const others = Int32Array.from(keys, Number).filter((index) => !self || index !== row)
    const distances = Float64Array.from(others, (index) =>
      distanceOf(all.metric, all.scale, this.#sum(row, index)),
    )
    sortNeighbors(distances, others, 0, others.length)
    const kept = Math.min(this.#k, others.length)
    const at = this.#indptr[row]
    this.#indices.set(others.subarray(0, kept), at)
    this.#distances.set(distances.subarray(0, kept), at)
    this.#indptr[row + 1] = at + kept
  }

  /** As distance.ts sums. */
  #sum(row: number, index: number): number {
    const { data, dim, metric } = this.#search.all
    const [x, y] = [row * dim, (this.#search.first + index) * dim]
    let sum = 0
    if (sumsSquares(metric)) {
      for (let c = 0; c < dim; c++) {
        const difference = data[x + c] - data[y + c]
        sum += difference * difference
      }
    } else for (let c = 0; c < dim; c++) sum += data[x + c] * data[y + c]
    return sum
  }

  lists(): NeighborLists {
    const length = this.#indptr[this.#search.queries]
    return {
      nNodes: this.#search.queries,
      indptr: this.#indptr,
      indices: this.#indices.slice(0, length),
      distances: this.#distances.slice(0, length),
    }
  }
}
