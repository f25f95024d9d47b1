import type { Pace } from '../../watch/pace.ts'
import { Scores } from '../device/scores.ts'
import { distanceOf, type NeighborMetric, sumsSquares } from '../distance.ts'
import type { NeighborLists } from '../lists.ts'
import { sortNeighbors } from '../pairs.ts'
import type { Search } from '../search.ts'
import { type HnswParameters, openIndex, type UsearchIndex } from './usearch.ts'

/** Threads that may search at once. The library keeps so many contexts. The context that adds a point decides
 *  its level. So the number is fixed, and the graph is always the same. */
const CONTEXTS = 16
/** Queries per call of the library. */
const BATCH_ROWS = 512
/** Candidates beyond k. The library's distances are rounded, so all candidates are sorted again in f64. */
const SPARE = 2
/** Used for the share of the work that adding takes: adding 1 point takes the time of this many queries on
 *  one thread. */
const ADD_PER_QUERY = 1.6

/** Approximate k nearest points by a hierarchical navigable small-world graph (HNSW, Malkov and Yashunin
 *  2016), built and searched by usearch. Distances are exact, but a list may lack some of the nearest points,
 *  or have less than k entries. Points are added one by one on one thread, so the same points give the same
 *  lists. Searches run on `threads`. */
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

/** Whether the metric works on unit vectors. f16 is precise enough for those, and takes two thirds of the
 *  time. Other vectors may leave the range of f16. */
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

/** The points that were found, ranked by f64 distances. */
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

  /** Keeps the k nearest of the points `keys`. Rows must come in order. */
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

  /** The sum of distance.ts, with the same bits. */
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
