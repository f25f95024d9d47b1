import { GraphError } from './errors.ts'

/** One block of Philox 4x32 with 10 rounds: counter [4] and key [2] (32-bit words) → 4 random words. Counter-based, so block n of a
 *  stream needs no earlier block, and only integer operations, so the bits are the same on every platform.
 *  Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
export const philox4x32 = (counter: readonly number[], key: readonly number[]): Uint32Array<ArrayBuffer> => {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(c0, 0xd2511f53)
    const low0 = Math.imul(c0, 0xd2511f53)
    const high1 = multiplyHigh(c2, 0xcd9e8d57)
    const low1 = Math.imul(c2, 0xcd9e8d57)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  return Uint32Array.of(c0, c1, c2, c3)
}

/** Upper 32 bits of the product of two unsigned 32-bit words. */
const multiplyHigh = (a: number, b: number): number => {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = a1 * b0 + ((a0 * b0) >>> 16) // below 2^32 + 2^16: exact in a double
  const cross = a0 * b1 + (middle % 0x10000)
  return (a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) | 0
}

/** Natural logarithm of a positive normal number from +, ×, ÷ alone: Math.log may differ in the last bit between engines, and
 *  a manifold built from one seed should not. Relative error below 1e-15. */
export const portableLog = (x: number): number => {
  let exponent = 0
  while (x > Math.SQRT2) {
    x /= 2
    exponent++
  }
  while (x < Math.SQRT1_2) {
    x *= 2
    exponent--
  }
  // log x = 2 artanh f, |f| ≤ 0.1716, so f²³ / 23 is below 1e-18
  const f = (x - 1) / (x + 1)
  let sum = 0
  for (let n = 21; n >= 1; n -= 2) sum = sum * f * f + 1 / n
  return exponent * Math.LN2 + 2 * f * sum
}

/** Seeded random numbers, the same bits on every platform for one seed and stream. */
export class Random {
  readonly #key: readonly [number, number]
  readonly #stream: number
  #block = 0
  #words = new Uint32Array(4)
  #used = 4
  #spare: number | undefined

  /** seed: integer from 0 to 2^53 − 1. Streams of one seed are independent of each other. */
  constructor(seed: number, stream = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new GraphError(`random: seed must be an integer between 0 and 2^53 - 1, got ${seed}`)
    }
    this.#key = [seed | 0, Math.floor(seed / 2 ** 32)]
    this.#stream = stream
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    if (this.#used === 4) {
      this.#words = philox4x32(
        [this.#block | 0, Math.floor(this.#block / 2 ** 32), this.#stream, 0],
        this.#key,
      )
      this.#block++
      this.#used = 0
    }
    return this.#words[this.#used++]
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.uint32() >>> 5
    return (high * 0x4000000 + (this.uint32() >>> 6)) / 2 ** 53
  }

  /** Standard normal (Marsaglia's polar method on `portableLog`). */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare
      this.#spare = undefined
      return value
    }
    for (;;) {
      const u = 2 * this.uniform() - 1
      const v = 2 * this.uniform() - 1
      const square = u * u + v * v
      if (square > 0 && square < 1) {
        const scale = Math.sqrt((-2 * portableLog(square)) / square)
        this.#spare = v * scale
        return u * scale
      }
    }
  }
}
