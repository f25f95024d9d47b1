import type { CpuEngine } from '@tau/tensor/kernel'
import type { DenseMatrix } from '../dense/matrix.ts'
import { largestMagnitude, safeScale } from '../dense/scale.ts'
import { GraphError } from '../errors.ts'
import { DeviceProducts } from './device-products.ts'
import { PlainProducts } from './plain-products.ts'
import { CHUNK, type GramProducts } from './products.ts'

/** Everything that a feature graph needs from embeddings x [rows, cols]. All numbers belong to X·scale, and
 *  scale is a power of two. */
export interface Gram {
  rows: number
  cols: number
  /** XᵀX·scale² [cols, cols], symmetric; minus rows·mean·meanᵀ if it is centred */
  products: Float64Array
  /** column means of X·scale [cols] */
  mean: Float64Array
  scale: number
}

/** XᵀX from one pass over the rows of X, any number of rows at a time. The bits depend only on the rows and
 *  their order. They do not depend on the blocks or the threads.
 *
 *  It sums the products of u = (x − s)·scale. At the end it undoes the shift in f64: XᵀX = Σuuᵀ + s·Sᵀ + S·sᵀ
 *  + rows·ssᵀ with S = Σu (written for scale 1).
 *  s is the mean of the first rows, rounded to f32. So the multiplied numbers are about as large as the
 *  deviations of the features. If means are a thousand times the deviations, plain f32 products would lose
 *  every digit of the deviations; this loses none.
 *  scale brings the largest of the first rows near 1 if squares would leave the range. With an engine,
 *  products of 768 rows at a time are f32 and their sums f64. Without an engine all is f64. */
export class GramSums implements Disposable {
  readonly #name: string
  readonly #cols: number
  readonly #work: GramProducts
  #held = 0
  #rows = 0
  #shift: Float64Array | undefined
  #scale = 1

  /** @param name what the rows are, for messages */
  constructor(name: string, cols: number, engine?: CpuEngine) {
    this.#name = name
    this.#cols = cols
    this.#work = engine ? new DeviceProducts(engine, cols) : new PlainProducts(cols)
  }

  [Symbol.dispose](): void {
    this.#work[Symbol.dispose]()
  }

  /** Number of rows that were added. */
  get rows(): number {
    return this.#rows + this.#held
  }

  /** Memory for f32 rows that `add` multiplies in place, without a copy. `add` overwrites these rows. */
  buffer(bytes: number): Uint8Array {
    return this.#work.buffer(bytes)
  }

  /** Adds rows. Throws GraphError, in this call or a later one, if an element is not finite (in f32 if there
   *  is an engine). The error has row, column and value. */
  add({ data, rows, cols }: DenseMatrix): void {
    const { capacity } = this.#work
    let at = 0
    if (this.#held === 0 && this.#work.owns(data)) {
      for (let whole = rows - (rows % CHUNK); at < whole; at += capacity) {
        this.#multiply(data.subarray(at * cols, Math.min(at + capacity, whole) * cols))
      }
      at = rows - (rows % CHUNK)
    }
    while (at < rows) {
      const count = Math.min(rows - at, capacity - this.#held)
      this.#work.place(this.#held, data.subarray(at * cols, (at + count) * cols))
      this.#held += count
      at += count
      if (this.#held === capacity) this.#multiplyHeld()
    }
  }

  /** The Gram matrix of all rows that were added. Throws GraphError if there are no rows, or if squares
   *  overflow. */
  result({ center }: { center: boolean }): Gram {
    if (this.#held > 0) this.#multiplyHeld()
    const [cols, rows, scale] = [this.#cols, this.#rows, this.#scale]
    const products = this.#work.products()
    const sums = this.#work.sums()
    const t = Float64Array.from(this.#shift ?? [], (s) => s * scale)
    if (rows === 0) throw new GraphError('gram: there must be at least one row, got none; add data')
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j <= i; j++) {
        const at = i * cols + j
        products[at] += center
          ? -(sums[i] * sums[j]) / rows
          : t[i] * sums[j] + t[j] * sums[i] + rows * t[i] * t[j]
        products[j * cols + i] = products[at]
      }
      if (!Number.isFinite(products[i * cols + i])) {
        throw new GraphError(
          `gram: squares must be finite, got a sum of ${products[i * cols + i]} in column ${i}; scale or repair elements that are 10^18 times those of the first rows`,
        )
      }
    }
    return { rows, cols, products, mean: sums.map((sum, j) => t[j] + sum / rows), scale }
  }

  #multiplyHeld(): void {
    this.#multiply(this.#work.held(this.#held))
    this.#held = 0
  }

  #multiply(x: Float64Array | Float32Array): void {
    this.#shift ??= this.#firstShift(x.subarray(0, CHUNK * this.#cols))
    this.#work.multiply(x, this.#shift, this.#scale)
    if (!this.#work.sums().every(Number.isFinite)) this.#refuse(x)
    this.#rows += x.length / this.#cols
  }

  /** Finds the element that is not finite and throws. It is still in x, because shifting leaves NaN and
   *  infinities as they are. */
  #refuse(x: Float64Array | Float32Array): never {
    const bad = x.findIndex((value) => !Number.isFinite(value))
    const row = this.#rows + Math.floor(bad / this.#cols)
    throw new GraphError(
      `${this.#name}: every element must be finite, got ${x[bad]} at row ${row}, column ${bad % this.#cols}; remove or repair that row`,
    )
  }

  /** The mean of the rows of the first chunk, rounded to f32. Also sets the scale. */
  #firstShift(head: Float64Array | Float32Array): Float64Array {
    const rows = head.length / this.#cols
    this.#scale = rangeScale(head)
    const mean = new Float64Array(this.#cols)
    for (let n = 0; n < head.length; n++) mean[n % this.#cols] += head[n] * this.#scale
    return mean.map((sum) => {
      const shift = Math.fround(sum / rows / this.#scale)
      return Number.isFinite(shift) ? shift : 0
    })
  }
}

/** Like `safeScale`, for the range of the array's type. */
const rangeScale = (data: Float64Array | Float32Array): number => {
  if (data instanceof Float64Array) return safeScale(data, 0, data.length)
  const largest = largestMagnitude(data)
  if (largest === 0 || !Number.isFinite(largest) || (largest > 1e-12 && largest < 1e12)) return 1
  return 2 ** -Math.max(-126, Math.min(126, Math.floor(Math.log2(largest))))
}

export interface GramOfOptions {
  /** whether the rows' mean is subtracted from them first */
  center?: boolean | undefined
  /** called between blocks of rows, with the share of them that is done; may throw */
  step?: (share: number) => void
}

/** XᵀX of a matrix in memory, all in f64. */
export const gramOf = (x: DenseMatrix, { center = false, step }: GramOfOptions = {}): Gram => {
  using sums = new GramSums('gram', x.cols)
  for (let first = 0; first < x.rows; first += CHUNK) {
    const rows = Math.min(CHUNK, x.rows - first)
    sums.add({ data: x.data.subarray(first * x.cols, (first + rows) * x.cols), rows, cols: x.cols })
    step?.((first + rows) / x.rows)
  }
  return sums.result({ center })
}
