import { type NeighborMetric, sumsSquares } from '../distance.ts'
import type { Search } from '../search.ts'

/** Half a unit in the last place of an f32 in [1, 2). */
const UNIT = 2 ** -24
/** Widest rows whose products have a useful bound in f32. */
export const MAX_DIM = 2 ** 17
/** Factor for what the bound leaves out: 1/(1 − dim·UNIT), and the rounding of sums in f64. */
const SECOND_ORDER = 1.02
/** Bound per coordinate of the loss by products below the range of f32. It holds because no vector is longer
 *  than 2. */
const UNDERFLOW = 2 ** -120

/** Scores that order points as the distances do, for the searches on a device. For euclidean, the score of a
 *  point y for a row x is |y|²/2 − x·y, which orders like |x − y|. For the other metrics it is −x·y.
 *  Scores are computed in f32. The vectors are scaled by a power of two, so that none is longer than 2. For
 *  euclidean they are also centred, which changes no distance and makes products small. `bound` gives the
 *  largest error of a score. */
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

  /** Rows [from, to) of `all`, centred and scaled for the products. */
  vectors(from: number, to: number): Float32Array {
    const { data, dim } = this.#search.all
    const out = new Float32Array((to - from) * dim)
    const centre = this.#centre
    const scale = this.#scale
    for (let row = from, n = 0; row < to; row++)
      for (let c = 0; c < dim; c++, n++) out[n] = (data[row * dim + c] - centre[c]) * scale
    return out
  }

  /** The term of the score that depends only on the point: half of its squared norm for euclidean, else 0.
   *  One for each row of `all`. */
  shifts(): Float32Array {
    return Float32Array.from(this.#norms, (norm) => (this.#euclidean ? (norm * norm) / 2 : 0))
  }

  /** The exact score for the distance that belongs to a sum over coordinates. */
  ofSum(row: number, sum: number): number {
    const scaled = sum * this.#scale * this.#scale
    return this.#euclidean ? (scaled - this.#norms[row] ** 2) / 2 : -scaled
  }

  /** A limit in f32. Every point whose sum for `row` is at least as near as `sum` has an f32 score up to this
   *  limit. */
  limit(row: number, sum: number): number {
    const score = this.ofSum(row, sum)
    return Math.fround(score + this.bound(row, sum) + Math.abs(score) * 2 * UNIT)
  }

  /** Largest error of the f32 scores of the points that can be as near to `row` as `sum`. Let u = 2⁻²⁴.
   *  Rounding both vectors and summing `dim` products loses (dim + 2)·u·|x|·|y|. The shift and the difference
   *  lose u·(|y|² + |x|·|y|). A point at distance d or nearer has |y| ≤ |x| + d, so points farther away do
   *  not count. */
  bound(row: number, sum: number): number {
    const { dim } = this.#search.all
    const norm = this.#norms[row]
    const reach = this.#euclidean ? norm + Math.sqrt(sum) * this.#scale : Number.POSITIVE_INFINITY
    const other = Math.min(this.#longest, reach)
    return SECOND_ORDER * UNIT * ((dim + 4) * norm * other + other * other) + dim * UNDERFLOW
  }
}

/** The limit of the sum over coordinates for a distance. A point with a worse sum is farther away than
 *  `distance`. */
export const sumOfDistance = (metric: NeighborMetric, scale: number, distance: number): number => {
  switch (metric) {
    case 'euclidean':
      return (distance / scale) ** 2
    case 'inner-product':
      return -distance
    case 'cosine': // beyond 90° all distances are 1
      return distance < 1 ? 1 - distance : Number.NEGATIVE_INFINITY
    case 'cosine-unrectified':
      return 1 - distance
  }
}

/** Adds the mean of about a thousand rows to `centre`. Any centre near all rows would do. */
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
