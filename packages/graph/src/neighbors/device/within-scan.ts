import type { Tensor } from '@tau/tensor'
import { type Launch, rowGrain, touches } from '@tau/tensor/kernel'
import { Owned } from '../../kernels/owned.ts'
import { graphWasm } from '../../kernels/wasm-module.ts'
import type { Block, PlacedSearch } from './placed.ts'

/** Finds the points whose score for a row is within the row's limit, block by block. Computes their sums in
 *  f64. It takes up to `maxRows` rows at a time, and 12 bytes per product of a block. */
export class WithinScan implements Disposable {
  readonly #placed: PlacedSearch
  readonly #within: Launch
  readonly #owned = new Owned()
  readonly #owners: number
  readonly #skips: number
  readonly #limits: number
  readonly #counts: number
  readonly #found: number
  readonly #sums: number

  constructor(placed: PlacedSearch, maxRows: number) {
    this.#placed = placed
    this.#within = placed.engine.kernel(graphWasm, 'withinRows')
    const cols = placed.points[0].rows
    const take = (bytes: number) => this.#owned.take(placed.engine.scratch(bytes)).handle
    try {
      this.#owners = take(maxRows * 4)
      this.#skips = take(maxRows * 4)
      this.#limits = take(maxRows * 4)
      this.#counts = take(maxRows * 4)
      this.#found = take(maxRows * cols * 4)
      this.#sums = take(maxRows * cols * 8)
    } catch (error) {
      this.#owned[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]()
  }

  /** Sets the rows for the next calls of `block`, by their indices among the queries, and their limits. */
  setRows(rows: ArrayLike<number>, limits: ArrayLike<number>): void {
    const { engine, search } = this.#placed
    const owners = Int32Array.from(rows)
    engine.write(this.#owners, owners)
    engine.write(this.#skips, search.self ? owners : new Int32Array(owners.length).fill(-1))
    engine.write(this.#limits, limits)
  }

  /** Searches a block for points within the limits of the current rows, whose vectors are `vectors` [rows,
   *  dim]. Calls `visit` with the row of `vectors`, the index and the sum of each point. */
  block(vectors: Tensor, block: Block, visit: (row: number, index: number, sum: number) => void): void {
    const placed = this.#placed
    const rows = vectors.shape[0]
    const cols = block.rows
    {
      using products = placed.products(vectors, block)
      const shifts = placed.shifts + (placed.search.first + block.first) * 4
      const args = [products.handle, cols, shifts, this.#limits, this.#found, this.#counts, block.first]
      const work = touches(rows * cols + cols + 3 * rows) // without the found indices, which are few
      this.#within([...args, this.#skips], rows, rowGrain(cols), work)
    }
    const [owners, counts, candidates, out] = [this.#owners, this.#counts, this.#found, this.#sums]
    placed.refine({ owners, counts, candidates, out, step: 4, rows, stride: cols })
    const lengths = placed.integers(counts, rows)
    const indices = placed.integers(candidates, rows * cols)
    const sums = placed.doubles(out, rows * cols)
    for (let row = 0; row < rows; row++)
      for (let n = row * cols; n < row * cols + lengths[row]; n++) visit(row, indices[n], sums[n])
  }
}
