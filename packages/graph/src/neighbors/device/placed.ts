import { type Device, matmul, type Tensor } from '@tau/tensor'
import { type CpuEngine, type Launch, rowGrain, type Work } from '@tau/tensor/kernel'
import { Owned } from '../../kernels/owned.ts'
import { graphWasm } from '../../kernels/wasm-module.ts'
import type { Pace } from '../../watch/pace.ts'
import { sumsSquares } from '../distance.ts'
import type { Search } from '../search.ts'
import { Scores } from './scores.ts'

/** Most rows of a block. A block of products is then 4 MiB, so it stays in the cache until its scores are
 *  read. */
const BLOCK_ROWS = 1024

/** Consecutive rows as a tensor for products. */
export interface Block {
  /** index of the first row among the queries, or among the points */
  readonly first: number
  readonly rows: number
  readonly vectors: Tensor
}

/** Rows and candidates whose sums are requested. Row r compares row owners[r] of `all` with counts[r] points.
 *  Their indices start at candidates + r·stride·step and lie `step` bytes apart. Sums go to out [rows,
 *  stride]. The first four fields are addresses. */
interface Candidates {
  readonly owners: number
  readonly candidates: number
  readonly counts: number
  readonly out: number
  readonly step: number
  readonly rows: number
  readonly stride: number
}

/** The rows of a search in a device's memory, with 12 bytes per coordinate: f32 in blocks for products, and
 *  f64 for the distances of the few candidates that the products select. */
export class PlacedSearch implements Disposable {
  readonly engine: CpuEngine
  readonly search: Search
  readonly scores: Scores
  /** empty until `place` has run; the same holds for `points` */
  readonly queries: readonly Block[]
  readonly points: readonly Block[]
  /** address of one shift per row of `all`: see {@link Scores.shifts} */
  readonly shifts: number
  readonly #device: Device
  readonly #owned = new Owned()
  readonly #blocks: Block[] = []
  readonly #pointBlocks: Block[] = []
  readonly #exact: number
  readonly #refine: Launch

  constructor(device: Device, engine: CpuEngine, search: Search) {
    this.engine = engine
    this.search = search
    this.scores = new Scores(search)
    this.#device = device
    this.#refine = engine.kernel(graphWasm, 'refineRows')
    this.queries = this.#blocks
    this.points = search.self ? this.#blocks : this.#pointBlocks
    try {
      const { all } = search
      this.#exact = this.#owned.take(engine.scratch(all.data.byteLength)).handle
      this.shifts = this.#owned.take(engine.scratch(all.count * 4)).handle
      engine.write(this.shifts, this.scores.shifts())
    } catch (error) {
      this.#owned[Symbol.dispose]()
      throw error
    }
  }

  /** Copies the rows to the device. */
  async place(pace: Pace): Promise<void> {
    const { queries, first, count, self } = this.search
    await this.#placeBlocks(this.#blocks, 0, queries, pace)
    if (!self) await this.#placeBlocks(this.#pointBlocks, first, count, pace)
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]()
  }

  /** x·yᵀ of two blocks, by the matmul of this device. */
  products(x: Tensor, y: Block): Tensor {
    return this.#device.unscoped(() => matmul(x, y.vectors, 'nt'))
  }

  /** A tensor of vectors. The caller disposes of it. */
  tensor(vectors: Float32Array): Tensor {
    const { dim } = this.search.all
    return this.#device.unscoped(() => this.#device.tensor(vectors, [vectors.length / dim, dim]))
  }

  refine({ owners, candidates, counts, out, step, rows, stride }: Candidates): void {
    const { all, first } = this.search
    const points = this.#exact + first * all.dim * 8
    const squares = sumsSquares(all.metric) ? 1 : 0
    const args = [this.#exact, points, owners, candidates, step, counts, stride, all.dim, squares, out]
    const work = () => this.#refineWork(this.integers(counts, rows))
    this.#refine(args, rows, rowGrain(all.dim * Math.min(stride, 32)), work)
  }

  /** The share of all products that is done after the blocks (0, ·) to (i, j). Only half of the blocks are
   *  needed if the queries are the points. */
  share(i: number, j: number): number {
    const [rows, cols] = [this.queries.length, this.points.length]
    if (!this.search.self) return (i * cols + j + 1) / (rows * cols)
    return (i * cols - (i * (i - 1)) / 2 + j - i + 1) / ((cols * (cols + 1)) / 2)
  }

  /** A view of device memory. It must be used at once, because the memory may move when more is taken. */
  doubles(address: number, length: number): Float64Array {
    return new Float64Array(this.engine.view(address, 0).buffer, address, length)
  }

  integers(address: number, length: number): Int32Array {
    return new Int32Array(this.engine.view(address, 0).buffer, address, length)
  }

  /** The work of `refine`. A point that is compared with many rows is counted once. */
  #refineWork(counts: Int32Array): Work {
    const { all, count } = this.search
    const sums = counts.reduce((total, n) => total + n, 0)
    return {
      flops: (sumsSquares(all.metric) ? 3 : 2) * sums * all.dim,
      bytes: 8 * ((counts.length + Math.min(sums, count)) * all.dim + sums),
    }
  }

  async #placeBlocks(blocks: Block[], from: number, rows: number, pace: Pace): Promise<void> {
    const { data, dim } = this.search.all
    const size = Math.ceil(rows / Math.ceil(rows / BLOCK_ROWS))
    for (let first = 0; first < rows; first += size) {
      const [begin, end] = [from + first, from + Math.min(rows, first + size)]
      const exact = this.doubles(this.#exact + begin * dim * 8, (end - begin) * dim)
      exact.set(data.subarray(begin * dim, end * dim))
      const vectors = this.#owned.take(this.tensor(this.scores.vectors(begin, end)))
      blocks.push({ first, rows: end - begin, vectors })
      await pace.step(0, 0)
    }
  }
}
