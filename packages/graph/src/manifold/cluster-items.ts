import { type Device, matmul, Random } from '@tau/tensor'
import type { DenseMatrix } from '../dense/matrix.ts'
import type { EmbeddingSource } from '../embeddings/source.ts'
import { GraphError } from '../errors.ts'
import { Pace } from '../watch/pace.ts'
import { Reservoir } from './item-sample.ts'
import { checkFinite, type PassOptions, passOver } from './passes.ts'

/** Rows that k-means++ chooses its seeds from: so many per cluster, but at least MIN_SEED_ROWS. */
const SEED_ROWS_PER_CLUSTER = 16
const MIN_SEED_ROWS = 2048
const SEED_STREAM = 4
/** Most passes. The centres need not be optimal for ArrowSpace's graphs. */
const MAX_PASSES = 10
/** Products that are computed at a time, before they are read. */
const PRODUCTS = 2 ** 20
/** The last pass is the one that lowers the sum of squares by less than this share. */
const TOLERANCE = 1e-4

/** Centres of items [clusters, cols]. As in ArrowSpace, they replace the items as rows of the graph. */
export interface ItemClusters extends DenseMatrix {
  data: Float64Array
  /** rows of the source */
  items: number
  /** passes over the rows, without the pass for the seeds */
  passes: number
  /** Σ |x − centre of x|² before the last update */
  inertia: number
}

/** Lloyd's k-means over a source, with one pass per round. k-means++ chooses the seeds from a uniform sample.
 *  Each row goes to its nearest centre (products in f32 on the device); means are in f64. A centre that loses
 *  all its rows stays where it is. One seed gives the same result on any number of threads.
 *  Throws GraphError if there are more clusters than sampled rows. */
export const clusterItems = async (
  source: EmbeddingSource,
  clusters: number,
  device: Device | undefined,
  options: PassOptions,
): Promise<ItemClusters> => {
  const seedRows = Math.max(MIN_SEED_ROWS, SEED_ROWS_PER_CLUSTER * clusters)
  const reservoir = new Reservoir(seedRows, options.seed)
  let cols = 0
  const items = await passOver(source, 'seeds', options, (block) => {
    checkFinite(source, block)
    cols = block.cols
    const needed = 8 * cols * (seedRows + 3 * clusters)
    if (needed > source.memoryBytes) {
      throw new GraphError(
        `manifold: the memory must hold ${clusters} clusters of width ${cols}, ${needed} bytes, got ${source.memoryBytes}; lower clusters or raise memoryBytes`,
      )
    }
    reservoir.add(block)
  })
  const sample = reservoir.rows(cols)
  if (sample.rows < clusters) {
    throw new GraphError(
      `manifold: clusters must be at most the number of rows, ${sample.rows}, got ${clusters}; lower clusters or leave it out`,
    )
  }
  const { signal, onProgress } = options
  const report = ({ fraction, rows }: { fraction: number; rows: number }) =>
    onProgress?.({ pass: 'centres', fraction, rows })
  const pace = new Pace(clusters, { signal, onProgress: report })
  let centres = await plusPlusSeeds(sample, clusters, new Random(options.seed, SEED_STREAM), pace)
  let [inertia, before, passes] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0]
  do {
    before = inertia
    const round = new Round(centres, device)
    await passOver(source, `k-means ${++passes}`, options, (block) => round.add(block))
    centres = round.means()
    inertia = round.inertia
  } while (passes < MAX_PASSES && !(inertia >= (1 - TOLERANCE) * before))
  return { ...centres, items, passes, inertia }
}

/** Seeds by D² sampling. Source: Arthur and Vassilvitskii, "k-means++", SODA 2007. */
const plusPlusSeeds = async (
  { data, rows, cols }: DenseMatrix,
  clusters: number,
  random: Random,
  pace: Pace,
): Promise<DenseMatrix & { data: Float64Array }> => {
  const seeds = new Float64Array(clusters * cols)
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY)
  let chosen = random.integer(rows)
  for (let c = 0; c < clusters; c++) {
    const seed = data.subarray(chosen * cols, (chosen + 1) * cols)
    seeds.set(seed, c * cols)
    let total = 0
    for (let i = 0; i < rows; i++) {
      let square = 0
      for (let j = 0; j < cols; j++) square += (data[i * cols + j] - seed[j]) ** 2
      nearest[i] = Math.min(nearest[i], square)
      total += nearest[i]
    }
    await pace.step((c + 1) / clusters, c + 1)
    let left = random.float() * total
    chosen = 0
    while (chosen < rows - 1 && left >= nearest[chosen]) left -= nearest[chosen++]
  }
  return { data: seeds, rows: clusters, cols }
}

/** One pass: finds the nearest centre of every row, and the mean of the rows of every centre. */
class Round {
  inertia = 0
  readonly #centres: DenseMatrix & { data: Float64Array }
  readonly #squares: Float64Array
  readonly #device: Device | undefined
  readonly #sums: Float64Array
  readonly #counts: Float64Array

  constructor(centres: DenseMatrix & { data: Float64Array }, device: Device | undefined) {
    const { data, rows, cols } = centres
    this.#centres = centres
    this.#device = device
    this.#sums = new Float64Array(data.length)
    this.#counts = new Float64Array(rows)
    this.#squares = Float64Array.from({ length: rows }, (_, c) => sumOfSquares(data, c * cols, cols))
  }

  add(block: DenseMatrix): void {
    const { rows: clusters, cols } = this.#centres
    const most = Math.max(1, Math.floor(PRODUCTS / clusters))
    for (let first = 0; first < block.rows; first += most) {
      const rows = Math.min(most, block.rows - first)
      this.#addFew({ data: block.data.subarray(first * cols, (first + rows) * cols), rows, cols })
    }
  }

  #addFew(block: DenseMatrix): void {
    const { rows: clusters, cols } = this.#centres
    const products = this.#products(block)
    for (let i = 0; i < block.rows; i++) {
      let [best, nearest] = [Number.POSITIVE_INFINITY, 0]
      for (let c = 0; c < clusters; c++) {
        const score = this.#squares[c] - 2 * products[i * clusters + c]
        if (score < best) [best, nearest] = [score, c]
      }
      const from = i * cols
      for (let j = 0; j < cols; j++) this.#sums[nearest * cols + j] += block.data[from + j]
      this.#counts[nearest]++
      this.inertia += Math.max(0, best + sumOfSquares(block.data, from, cols))
    }
  }

  means(): DenseMatrix & { data: Float64Array } {
    const { data, rows, cols } = this.#centres
    const means = data.map((old, n) => {
      const count = this.#counts[Math.floor(n / cols)]
      return count === 0 ? old : this.#sums[n] / count
    })
    return { data: means, rows, cols }
  }

  /** x·centresᵀ [rows, clusters]. */
  #products({ data, rows, cols }: DenseMatrix): Float32Array | Float64Array {
    const { data: centres, rows: clusters } = this.#centres
    const device = this.#device
    if (device) {
      using _scope = device.scope()
      const x = device.tensor(data, [rows, cols])
      const { engine } = device
      const product = matmul(x, device.tensor(centres, [clusters, cols]), 'nt')
      if (engine.backend === 'cpu') return engine.view(product.handle, rows * clusters).slice()
    }
    const out = new Float64Array(rows * clusters)
    for (let i = 0; i < rows; i++) {
      for (let c = 0; c < clusters; c++) {
        let sum = 0
        for (let j = 0; j < cols; j++) sum += data[i * cols + j] * centres[c * cols + j]
        out[i * clusters + c] = sum
      }
    }
    return out
  }
}

const sumOfSquares = (data: Float64Array | Float32Array, from: number, count: number): number => {
  let sum = 0
  for (let n = from; n < from + count; n++) sum += data[n] * data[n]
  return sum
}
