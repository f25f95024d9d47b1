import { type NeighborMetric, sumsSquares } from '../distance.ts'
import type { Search } from '../search.ts'

/** Half a unit in the last place of an f32 in [1, 2). */
const UNIT = 2 ** -24
/** Products of wider rows have no useful bound in f32. */
export const MAX_DIM = 2 ** 17
/** By how much 1/(1 − dim·UNIT) and the rounding of sums in f64 enlarge the bound, at most. */
const SECOND_ORDER = 1.02
/** What products that leave the range of f32 lose per coordinate is below this: vectors are not longer than 2. */
const UNDERFLOW = 2 ** -120

/** How the searches on a device rank: the score of a point y for a row x is |y|²/2 − x·y for euclidean, which orders as |x − y| does,
 *  and −x·y for the other metrics. It is computed in f32 from vectors that are centred (euclidean only: it changes no distance and makes
 *  products small) and scaled by a power of two, so that none is longer than 2. `bound` is by how much that can be wrong. */
export class Scores {
  readonly #search: Search
  readonly #euclidean: boolean
  readonly #centre: Float64Array
  readonly #scale: number
  /** |x| of all rows, centred and scaled */
  readonly #norms: Float64Array
  /** the largest norm of a point */
  readonly #longest: number

  constructor(search: Search) {
    const { all, first, count } = search
    this.#search = search
    this.#euclidean = sumsSquares(all.metric)
    this.#centre = new Float64Array(all.dim)
    if (this.#euclidean) addMean(search, this.#centre)
    this.#norms = normsOf(search, this.#centre)
    const longest = largest(this.#norms, 0, all.count)
    this.#scale = longest > 0 ? 2 ** -Math.floor(Math.log2(longest)) : 1
    for (let i = 0; i < all.count; i++) this.#norms[i] *= this.#scale
    this.#longest = largest(this.#norms, first, first + count)
  }

  /** Rows [from, to) of all, as the products take them. */
  vectors(from: number, to: number): Float32Array {
    const { data, dim } = this.#search.all
    const out = new Float32Array((to - from) * dim)
    const centre = this.#centre
    const scale = this.#scale
    for (let row = from, n = 0; row < to; row++)
      for (let c = 0; c < dim; c++, n++) out[n] = (data[row * dim + c] - centre[c]) * scale
    return out
  }

  /** What is added to the negative products of a row with each of all rows: half its square, or 0. */
  shifts(): Float32Array {
    return Float32Array.from(this.#norms, (norm) => (this.#euclidean ? (norm * norm) / 2 : 0))
  }

  /** The score, exactly, of the distance that a sum over coordinates stands for. */
  ofSum(row: number, sum: number): number {
    const scaled = sum * this.#scale * this.#scale
    return this.#euclidean ? (scaled - this.#norms[row] ** 2) / 2 : -scaled
  }

  /** A limit in f32 that the score of no point is above whose sum for `row` is at least as near as `sum`. */
  limit(row: number, sum: number): number {
    const score = this.ofSum(row, sum)
    return Math.fround(score + this.bound(row, sum) + Math.abs(score) * 2 * UNIT)
  }

  /** Largest error of the f32 scores of those points that can be as near to `row` as `sum`. With u = 2⁻²⁴: rounding both vectors
   *  and summing `dim` products loses (dim + 2)·u·|x|·|y|, the shift and the difference u·(|y|² + |x|·|y|). Points as near as d have
   *  |y| ≤ |x| + d, whatever there is elsewhere. */
  bound(row: number, sum: number): number {
    const { dim } = this.#search.all
    const norm = this.#norms[row]
    const reach = this.#euclidean ? norm + Math.sqrt(sum) * this.#scale : Number.POSITIVE_INFINITY
    const other = Math.min(this.#longest, reach)
    return SECOND_ORDER * UNIT * ((dim + 4) * norm * other + other * other) + dim * UNDERFLOW
  }
}

/** The sum over coordinates from which on a point is farther than `distance`. */
export const sumOfDistance = (metric: NeighborMetric, scale: number, distance: number): number => {
  switch (metric) {
    case 'euclidean':
      return (distance / scale) ** 2
    case 'inner-product':
      return -distance
    case 'cosine': // beyond 90° all are at distance 1
      return distance < 1 ? 1 - distance : Number.NEGATIVE_INFINITY
    case 'cosine-unrectified':
      return 1 - distance
  }
}

/** The mean of a thousand rows: any centre near all of them serves. */
const addMean = ({ all: { data, dim, count } }: Search, centre: Float64Array): void => {
  const step = Math.ceil(count / 1000)
  const weight = 1 / Math.ceil(count / step)
  for (let row = 0; row < count; row += step)
    for (let c = 0; c < dim; c++) centre[c] += weight * data[row * dim + c]
}

const normsOf = ({ all: { data, dim, count } }: Search, centre: Float64Array): Float64Array => {
  const norms = new Float64Array(count)
  for (let row = 0, n = 0; row < count; row++) {
    let sum = 0
    for (let c = 0; c < dim; c++, n++) sum += (data[n] - centre[c]) ** 2
    norms[row] = Math.sqrt(sum)
  }
  return norms
}

const largest = (values: Float64Array, from: number, to: number): number => {
  let found = 0
  for (let n = from; n < to; n++) if (values[n] > found) found = values[n]
  return found
}
