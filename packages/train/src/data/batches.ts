import { IGNORE_INDEX, philox4x32 } from '@tau/tensor'

/** Tokens, and for each token the one that follows it as its target. Both are [batchSize · seqLen],
 *  row-major. */
export interface TokenBatch {
  readonly tokens: Int32Array
  readonly targets: Int32Array
}

export interface TokenBatchesOptions {
  /** Token ids of the training text, at least seqLen + 1 of them. They are not copied. */
  readonly ids: Int32Array
  /** Tokens per row, T. */
  readonly seqLen: number
  /** Rows per batch, B. */
  readonly batchSize: number
  /** Integer from 0 to 2⁵³ − 1. */
  readonly seed: number
}

/** Training batches. Each row is a window of the text at a random place; all places are equally likely.
 *
 *   `batch(step)` depends only on the options and the step, so a run that resumes at step s needs no earlier
 *   state. With gradient accumulation, the k-th of m micro-batches is `batch(step * m + k)`. */
export class TokenBatches {
  readonly seqLen: number
  readonly batchSize: number
  readonly #ids: Int32Array
  readonly #seed: number

  constructor({ ids, seqLen, batchSize, seed }: TokenBatchesOptions) {
    checkCounts('TokenBatches', seqLen, batchSize)
    if (ids.length < seqLen + 1) {
      throw new RangeError(
        `TokenBatches: the text must have at least ${seqLen + 1} tokens (seqLen + 1), got ${ids.length}; ` +
          'lower seqLen or add text',
      )
    }
    checkIndex('TokenBatches: seed', seed, 'pass --seed as an integer')
    this.seqLen = seqLen
    this.batchSize = batchSize
    this.#ids = ids
    this.#seed = seed
  }

  /** The batch of a step. Steps count from 0. */
  batch(step: number): TokenBatch {
    checkIndex('TokenBatches: step', step, 'count steps from 0')
    const { seqLen, batchSize } = this
    const tokens = new Int32Array(batchSize * seqLen)
    const targets = new Int32Array(batchSize * seqLen)
    for (let row = 0; row < batchSize; row++) {
      const start = this.#windowStart(step, row)
      tokens.set(this.#ids.subarray(start, start + seqLen), row * seqLen)
      targets.set(this.#ids.subarray(start + 1, start + 1 + seqLen), row * seqLen)
    }
    return { tokens, targets }
  }

  #windowStart(step: number, row: number): number {
    const [high, low] = philox4x32([row, ...wordsOf(step), 0], wordsOf(this.#seed))
    // A number in [0, 1) with 53 random bits. The probabilities of two places differ by less than length /
    // 2⁵³.
    const unit = ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53
    return Math.floor(unit * (this.#ids.length - this.seqLen))
  }
}

export interface EvalBatchesOptions {
  /** Token ids of the held-out text, at least 2 of them. They are not copied. */
  readonly ids: Int32Array
  readonly seqLen: number
  readonly batchSize: number
}

export interface EvalBatch extends TokenBatch {
  /** Number of targets that count: those that are not IGNORE_INDEX. */
  readonly targetCount: number
}

/** Evaluation batches: consecutive windows of seqLen tokens. Every token of the text except the first is a
 *  target exactly once. The last batch is padded with token 0 and target IGNORE_INDEX, so all batches have
 *  one shape. Therefore weight each batch mean by its `targetCount`; a plain average of batch means is
 *  wrong.
 *
 *   A window does not see the tokens before it. Bits per byte of the whole text:
 *   (sum of the losses in nats) / (ln 2 · tokenizer.byteLength(ids.subarray(1))). */
export class EvalBatches implements Iterable<EvalBatch> {
  readonly seqLen: number
  readonly batchSize: number
  /** Number of batches. */
  readonly length: number
  readonly #ids: Int32Array

  constructor({ ids, seqLen, batchSize }: EvalBatchesOptions) {
    checkCounts('EvalBatches', seqLen, batchSize)
    if (ids.length < 2) {
      throw new RangeError(
        `EvalBatches: the held-out text must have at least 2 tokens, got ${ids.length}; hold out a larger fraction`,
      )
    }
    this.seqLen = seqLen
    this.batchSize = batchSize
    this.length = Math.ceil((ids.length - 1) / (seqLen * batchSize))
    this.#ids = ids
  }

  /** The batch with this index, from 0 to length − 1. */
  batch(index: number): EvalBatch {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new RangeError(
        `EvalBatches: a batch index must be an integer from 0 to ${this.length - 1}, got ${index}; iterate instead`,
      )
    }
    const size = this.batchSize * this.seqLen
    // The windows are consecutive, so a batch is one contiguous piece of the text.
    const start = index * size
    const targetCount = Math.min(size, this.#ids.length - 1 - start)
    const tokens = new Int32Array(size)
    const targets = new Int32Array(size).fill(IGNORE_INDEX)
    tokens.set(this.#ids.subarray(start, start + targetCount))
    targets.set(this.#ids.subarray(start + 1, start + 1 + targetCount))
    return { tokens, targets, targetCount }
  }

  *[Symbol.iterator](): Iterator<EvalBatch> {
    for (let i = 0; i < this.length; i++) yield this.batch(i)
  }
}

function checkCounts(op: string, seqLen: number, batchSize: number): void {
  for (const [name, value] of Object.entries({ seqLen, batchSize })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${op}: ${name} must be an integer of at least 1, got ${value}; raise it`)
    }
  }
}

function checkIndex(what: string, value: number, next: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${what} must be an integer from 0 to 2^53 - 1, got ${value}; ${next}`)
  }
}

/** Low and high 32 bits of an integer below 2⁵³. */
const wordsOf = (value: number): [number, number] => [value >>> 0, Math.floor(value / 2 ** 32)]
