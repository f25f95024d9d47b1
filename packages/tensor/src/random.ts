import type { Device } from './device.ts'
import { philox4x32 } from './philox.ts'
import { portableLog } from './portable-log.ts'
import { type Shape, sizeOf } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** A stream of random numbers that is a pure function of (seed, stream, position). It gives the same bits on
 *  every backend and platform, because it uses only integer operations and +, ×, ÷, √ of doubles. `position`
 *  alone is enough to resume. Numbers are drawn on the host and copied to the device. */
export class Random {
  readonly seed: number
  readonly stream: number
  #position: number
  #block: readonly [number, number, number, number] | undefined

  /** @param seed whole number from 0 to 2⁵³−1
   *  @param stream whole number below 2³²; streams of one seed are independent
   *  @param position number of words to skip, a whole number from 0 to 2⁵³−1 */
  constructor(seed: number, stream = 0, position = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`random: seed must be a whole number from 0 to 2^53 - 1, got ${seed}`)
    if (!Number.isInteger(stream) || stream < 0 || stream > 0xffffffff)
      throw new RangeError(`random: stream must be a whole number below 2^32, got ${stream}`)
    if (!Number.isSafeInteger(position) || position < 0)
      throw new RangeError(`random: position must be a whole number from 0 to 2^53 - 1, got ${position}`)
    this.seed = seed
    this.stream = stream
    this.#position = position
  }

  /** Number of 32-bit words drawn so far. */
  get position(): number {
    return this.#position
  }

  /** The next 32 random bits. */
  uint32(): number {
    const lane = this.#position % 4
    if (lane === 0 || !this.#block) {
      const index = Math.floor(this.#position / 4)
      const key = [this.seed >>> 0, Math.floor(this.seed / 2 ** 32)] as const
      this.#block = philox4x32([index >>> 0, Math.floor(index / 2 ** 32), this.stream, 0], key)
    }
    this.#position++
    return this.#block[lane]
  }

  /** Uniform in [0, 1), 24 bits: exact in f32. */
  float(): number {
    return (this.uint32() >>> 8) / 2 ** 24
  }

  /** Uniform whole number in [0, bound). */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32)
      throw new RangeError(`random: bound must be a whole number from 1 to 2^32, got ${bound}`)
    // Words at or above the limit would make small results more likely.
    const limit = 2 ** 32 - (2 ** 32 % bound)
    for (;;) {
      const word = this.uint32()
      if (word < limit) return word % bound
    }
  }

  /** A standard normal number in f64, at most 9.4 in size, by Marsaglia's polar method with 2.55 words on
   *  average. The method makes two numbers; the second is dropped, because keeping it would be a state
   *  besides `position`.
   *  Source: Marsaglia and Bray, "A convenient method for generating normal variables", SIAM Review 6
   *  (1964). */
  gaussian(): number {
    for (;;) {
      const u = this.#symmetric()
      const v = this.#symmetric()
      const square = u * u + v * v
      if (square < 1) return u * Math.sqrt((-2 * portableLog(square)) / square)
    }
  }

  /** Uniform in (−1, 1), never 0, 32 bits. */
  #symmetric(): number {
    return (this.uint32() + 0.5) / 2 ** 31 - 1
  }

  /** Tensor of normal numbers with the given standard deviation. */
  normal(device: Device, shape: Shape, std = 1): Tensor {
    return device.tensor(
      Float32Array.from({ length: sizeOf(shape) }, () => std * this.gaussian()),
      shape,
    )
  }

  /** Tensor of uniform numbers from low to high. Rounding to f32 may give `high` itself. */
  uniform(device: Device, shape: Shape, low = 0, high = 1): Tensor {
    return device.tensor(
      Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * this.float()),
      shape,
    )
  }
}
