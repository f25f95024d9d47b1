import { CHUNK, type GramProducts } from './products.ts'

/** Gram products by loops in f64. Four rows at a time, so one load and store of a sum serves four
 *  products. */
export class PlainProducts implements GramProducts {
  readonly capacity = CHUNK
  readonly #cols: number
  readonly #rows: Float64Array
  readonly #products: Float64Array
  readonly #sums: Float64Array

  constructor(cols: number) {
    this.#cols = cols
    this.#rows = new Float64Array(CHUNK * cols)
    this.#products = new Float64Array(cols * cols)
    this.#sums = new Float64Array(cols)
  }

  [Symbol.dispose](): void {}

  place(at: number, data: Float64Array | Float32Array): void {
    this.#rows.set(data, at * this.#cols)
  }

  buffer(bytes: number): Uint8Array {
    return new Uint8Array(bytes)
  }

  owns(): boolean {
    return false
  }

  held(rows: number): Float64Array {
    return this.#rows.subarray(0, rows * this.#cols)
  }

  multiply(x: Float64Array, shift: Float64Array, scale: number): void {
    const cols = this.#cols
    const u = this.#rows // x is the start of this array
    for (let n = 0; n < x.length; n += cols) {
      for (let j = 0; j < cols; j++) {
        u[n + j] = (u[n + j] - shift[j]) * scale
        this.#sums[j] += u[n + j]
      }
    }
    // rows of zeros up to the next multiple of four; they add nothing
    u.fill(0, x.length, Math.ceil(x.length / (4 * cols)) * 4 * cols)
    for (let a = 0; a < x.length; a += 4 * cols) addFour(u, a, cols, this.#products)
  }

  products(): Float64Array {
    return this.#products
  }

  sums(): Float64Array {
    return this.#sums
  }
}

const addFour = (u: Float64Array, a: number, cols: number, out: Float64Array): void => {
  const [b, c, d] = [a + cols, a + 2 * cols, a + 3 * cols]
  for (let i = 0; i < cols; i++) {
    const [x, y, z, w] = [u[a + i], u[b + i], u[c + i], u[d + i]]
    const row = i * cols
    for (let j = 0; j <= i; j++) out[row + j] += x * u[a + j] + y * u[b + j] + z * u[c + j] + w * u[d + j]
  }
}
