import { type Launch, rowGrain, touches } from '@tau/tensor/kernel'
import { Owned } from '../../kernels/owned.ts'
import { graphWasm } from '../../kernels/wasm-module.ts'
import type { Pace } from '../../watch/pace.ts'
import type { NeighborLists } from '../lists.ts'
import { available } from '../search.ts'
import type { Block, PlacedSearch } from './placed.ts'
import { Selection } from './selection.ts'

/** Candidates beyond k. With 1 the error of the products left 495 of 20 000 normal points of width 384
 *  undecided; with 2 it left 3. Wider points and larger k need more. */
const SPARE = 8
const SLOT_BYTES = 8
/** Columns per tile of the columns kernel. */
const COLUMN_GRAIN = 128

/** The k nearest points of every row. Products in f32, block by block, keep k + 8 candidates per row. Sums in
 *  f64 choose among them. They also find the rows for which another point might be nearer; these rows are
 *  searched again by limits. If the queries are the points, a block serves its rows and its columns. */
export const deviceNearest = async (placed: PlacedSearch, k: number, pace: Pace): Promise<NeighborLists> => {
  const { search, queries, points } = placed
  const width = Math.min(k + SPARE, available(search))
  const selection = new Selection(placed, k, width)
  using lists = new CandidateLists(placed, width)
  for (const [i, x] of queries.entries()) {
    for (let j = search.self ? i : 0; j < points.length; j++) {
      lists.offer(x, points[j])
      await pace.step(placed.share(i, j), x.first - selection.undecided)
    }
    lists.select(x, selection)
  }
  await selection.finish(pace)
  return selection.lists
}

/** The best candidates of every query so far. */
class CandidateLists implements Disposable {
  readonly #placed: PlacedSearch
  readonly #width: number
  readonly #rows: Launch
  readonly #columns: Launch
  readonly #owned = new Owned()
  readonly #lists: number
  readonly #limits: number
  readonly #owners: number
  readonly #counts: number
  readonly #sums: number

  constructor(placed: PlacedSearch, width: number) {
    const { engine, search, queries } = placed
    this.#placed = placed
    this.#width = width
    this.#rows = engine.kernel(graphWasm, 'nearestRows')
    this.#columns = engine.kernel(graphWasm, 'nearestColumns')
    const take = (bytes: number) => this.#owned.take(engine.scratch(bytes)).handle
    try {
      this.#lists = take(search.queries * width * SLOT_BYTES)
      this.#limits = take(search.queries * 4)
      this.#owners = take(queries[0].rows * 4)
      this.#counts = take(queries[0].rows * 4)
      this.#sums = take(queries[0].rows * width * 8)
    } catch (error) {
      this.#owned[Symbol.dispose]()
      throw error
    }
    const empty = engine.kernel(graphWasm, 'emptyLists')
    const cleared = touches(search.queries * (2 * width + 1))
    empty([this.#lists, this.#limits, width], search.queries, rowGrain(width), cleared)
    engine.write(this.#counts, new Int32Array(queries[0].rows).fill(width))
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]()
  }

  /** Offers the points y to the rows x. If the queries are the points and the blocks differ, it also offers x
   *  to y. Few scores pass the limits, so the work is counted from products, shifts and limits alone. */
  offer(x: Block, y: Block): void {
    const placed = this.#placed
    const { self, first } = placed.search
    using products = placed.products(x.vectors, y)
    const shifts = placed.shifts + (first + y.first) * 4
    const skip = self ? x.first : -1 - x.rows
    const args = [products.handle, y.rows, shifts, ...this.#at(x), this.#width, y.first, skip]
    const scores = x.rows * y.rows
    this.#rows(args, x.rows, rowGrain(y.rows), touches(scores + y.rows + 2 * x.rows))
    if (!self || x === y) return
    const mirrored = [products.handle, x.rows, y.rows, placed.shifts + x.first * 4, ...this.#at(y)]
    const work = touches(scores + x.rows + 2 * y.rows)
    this.#columns([...mirrored, this.#width, x.first], y.rows, COLUMN_GRAIN, work)
  }

  /** Passes the candidates of a block of queries to the selection, with their sums. */
  select(x: Block, selection: Selection): void {
    const placed = this.#placed
    const width = this.#width
    const [candidates] = this.#at(x)
    placed.engine.write(
      this.#owners,
      Int32Array.from({ length: x.rows }, (_, row) => x.first + row),
    )
    placed.refine({
      owners: this.#owners,
      counts: this.#counts,
      candidates,
      out: this.#sums,
      step: SLOT_BYTES,
      rows: x.rows,
      stride: width,
    })
    const slots = placed.integers(candidates, x.rows * width * 2)
    const indices = new Int32Array(x.rows * width)
    for (let n = 0; n < indices.length; n++) indices[n] = slots[2 * n] // the index is the low half of a slot
    const sums = placed.doubles(this.#sums, x.rows * width)
    const [, limits] = this.#at(x)
    const worst = placed.engine.view(limits, x.rows)
    for (let row = 0; row < x.rows; row++)
      selection.choose(
        x.first + row,
        indices.subarray(row * width, (row + 1) * width),
        sums.subarray(row * width, (row + 1) * width),
        worst[row],
      )
  }

  /** Addresses of the lists and limits of a block's rows. */
  #at({ first }: Block): [number, number] {
    return [this.#lists + first * this.#width * SLOT_BYTES, this.#limits + first * 4]
  }
}
