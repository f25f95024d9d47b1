import { Random } from '@tau/tensor'
import type { RowBlock } from '../embeddings/source.ts'

// Streams of a seed. Streams 0 and 1 belong to the reductions.
const SHARE_STREAM = 2
const RESERVOIR_STREAM = 3

/** Keeps every row with the same probability, like ArrowSpace's simple sampler. Whether a row is kept depends
 *  on the seed and its index, not on blocks. */
export class ShareSample {
  readonly #share: number
  readonly #random: Random

  constructor(share: number, seed: number) {
    this.#share = share
    this.#random = new Random(seed, SHARE_STREAM)
  }

  /** A copy of the block with only the rows that are kept. */
  keep(block: RowBlock): RowBlock {
    const { rows, cols } = block
    const data = block.data.slice()
    let kept = 0
    for (let i = 0; i < rows; i++) {
      if (this.#random.float() >= this.#share) continue
      data.copyWithin(kept++ * cols, i * cols, (i + 1) * cols)
    }
    return { ...block, data: data.subarray(0, kept * cols), rows: kept }
  }
}

/** A uniform sample of at most `size` rows from a stream of unknown length. Row n (from 0) replaces a sampled
 *  row with probability size / (n + 1).
 *  Source: Vitter, "Random sampling with a reservoir", ACM TOMS 11 (1985), algorithm R. */
export class Reservoir {
  readonly #size: number
  readonly #random: Random
  #data = new Float64Array()
  #seen = 0

  constructor(size: number, seed: number) {
    this.#size = size
    this.#random = new Random(seed, RESERVOIR_STREAM)
  }

  add({ data, rows, cols }: RowBlock): void {
    if (this.#data.length === 0) this.#data = new Float64Array(this.#size * cols)
    for (let i = 0; i < rows; i++, this.#seen++) {
      const slot = this.#seen < this.#size ? this.#seen : this.#random.integer(this.#seen + 1)
      if (slot < this.#size) this.#data.set(data.subarray(i * cols, (i + 1) * cols), slot * cols)
    }
  }

  /** The sampled rows, [·, cols]. */
  rows(cols: number): { data: Float64Array; rows: number; cols: number } {
    const rows = Math.min(this.#seen, this.#size)
    return { data: this.#data.subarray(0, rows * cols), rows, cols }
  }
}
