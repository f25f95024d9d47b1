import type { Pace } from '../../watch/pace.ts'
import { BoundedNeighbors } from '../bounded.ts'
import { distanceOf, sumsSquares } from '../distance.ts'
import type { NeighborLists } from '../lists.ts'
import { sortNeighbors } from '../pairs.ts'
import { available } from '../search.ts'
import type { PlacedSearch } from './placed.ts'
import { WithinScan } from './within-scan.ts'

/** Undecided rows that are searched again at a time. */
const RETRY_ROWS = 256

/** Chooses the k nearest among the candidates, and finds the rows for which the candidates do not suffice. */
export class Selection {
  readonly #placed: PlacedSearch
  readonly #k: number
  readonly #indices: Int32Array
  readonly #distances: Float64Array
  readonly #undecided: number[] = []
  readonly #limits: number[] = []
  readonly #sorted: Float64Array

  /** @param width number of candidates of a row */
  constructor(placed: PlacedSearch, k: number, width: number) {
    this.#placed = placed
    this.#k = k
    this.#sorted = new Float64Array(width)
    this.#indices = new Int32Array(placed.search.queries * k)
    this.#distances = new Float64Array(placed.search.queries * k)
  }

  get lists(): NeighborLists {
    const nNodes = this.#placed.search.queries
    const indptr = Int32Array.from({ length: nNodes + 1 }, (_, row) => row * this.#k)
    return { nNodes, indptr, indices: this.#indices, distances: this.#distances }
  }

  /** Number of rows that are left for `finish`. */
  get undecided(): number {
    return this.#undecided.length
  }

  /** Chooses the k nearest candidates of a row by their sums. All other points have f32 scores of `worst` or
   *  more. If such a score does not prove that they are farther in f64, the row stays undecided. Sorts
   *  `indices` and `sums` in place. */
  choose(row: number, indices: Int32Array, sums: Float64Array, worst: number): void {
    const { search, scores } = this.#placed
    const { metric, scale } = search.all
    const far = this.#farthest(sums)
    for (let n = 0; n < sums.length; n++) sums[n] = distanceOf(metric, scale, sums[n])
    const complete = indices.length === available(search)
    if (!complete && !(worst - scores.bound(row, far) > scores.ofSum(row, far))) {
      this.#undecided.push(row)
      this.#limits.push(scores.limit(row, far))
      return
    }
    sortNeighbors(sums, indices, 0, indices.length)
    this.#keep(row, indices, sums)
  }

  /** Searches for the undecided rows again. It compares in f64 all points whose score may be as good as the
   *  k-th candidate's. */
  async finish(pace: Pace): Promise<void> {
    const { queries } = this.#placed.search
    using scan = new WithinScan(this.#placed, Math.min(RETRY_ROWS, Math.max(1, this.undecided)))
    for (let n = 0; n < this.undecided; n += RETRY_ROWS) {
      const rows = this.#undecided.slice(n, n + RETRY_ROWS)
      scan.setRows(rows, this.#limits.slice(n, n + RETRY_ROWS))
      await this.#retry(scan, rows, () => pace.step(1, queries - this.undecided + n))
    }
  }

  async #retry(scan: WithinScan, rows: readonly number[], step: () => Promise<void>): Promise<void> {
    const placed = this.#placed
    const { dim, metric, scale } = placed.search.all
    const gathered = new Float32Array(rows.length * dim)
    for (const [n, row] of rows.entries()) gathered.set(placed.scores.vectors(row, row + 1), n * dim)
    using vectors = placed.tensor(gathered)
    const nearest = new BoundedNeighbors(rows.length, this.#k)
    for (const block of placed.points) {
      scan.block(vectors, block, (n, index, sum) => nearest.offer(n, index, distanceOf(metric, scale, sum)))
      await step()
    }
    const { indptr, indices, distances } = nearest.toLists(Number.POSITIVE_INFINITY)
    for (const [n, row] of rows.entries()) {
      const [begin, end] = [indptr[n], indptr[n + 1]]
      this.#keep(row, indices.subarray(begin, end), distances.subarray(begin, end))
    }
  }

  /** The k-th sum, counted from the nearest. */
  #farthest(sums: Float64Array): number {
    const { metric } = this.#placed.search.all
    const sorted = this.#sorted
    sorted.set(sums)
    sorted.sort()
    if (sumsSquares(metric)) return sorted[this.#k - 1]
    const far = sorted[sorted.length - this.#k]
    return metric === 'cosine' ? Math.max(0, far) : far // all points beyond 90° are equally far
  }

  /** Writes the first k of sorted neighbours. The rectified cosine has a largest distance, 1, and any number
   *  of points may have it. The last places then go to the smallest indices among all points that are not
   *  nearer, candidates or not. */
  #keep(row: number, indices: Int32Array, distances: Float64Array): void {
    const { all, self } = this.#placed.search
    const k = this.#k
    const base = row * k
    let near = Math.min(k, indices.length)
    if (all.metric === 'cosine') while (near > 0 && distances[near - 1] === 1) near--
    this.#indices.set(indices.subarray(0, near), base)
    this.#distances.set(distances.subarray(0, near), base)
    if (near === k) return
    const taken = new Set(indices.subarray(0, near))
    if (self) taken.add(row)
    for (let index = 0; near < k; index++)
      if (!taken.has(index)) {
        this.#indices[base + near] = index
        this.#distances[base + near++] = 1
      }
  }
}
