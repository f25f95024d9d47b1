import type { Device } from './device.ts'
import { type Shape, sizeOf } from './shape.ts'
import type { Tensor } from './tensor.ts'

const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85

/** High and low 32 bits of a 32 × 32 bit product. */
function multiply(a: number, b: number): [number, number] {
  const low = Math.imul(a, b) >>> 0
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = a1 * b0 + ((a0 * b0) >>> 16)
  const carry = a0 * b1 + (middle & 0xffff)
  return [(a1 * b1 + Math.floor(middle / 65_536) + Math.floor(carry / 65_536)) >>> 0, low]
}

/** Philox 4x32-10: four random words as a pure function of a 128-bit counter and a 64-bit key.
 *  Source: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3 (2011). */
export function philox(counter: readonly number[], key: readonly number[]): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(M0, c0)
    const [high1, low1] = multiply(M1, c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + W0) >>> 0
    k1 = (k1 + W1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** A stream of random numbers that is a pure function of (seed, stream, position): the same on every backend, and resumable
 *  from `position` alone. Numbers are drawn on the host and copied to the device. */
export class Random {
  readonly seed: number
  readonly stream: number
  /** How many 32-bit words were drawn. */
  position: number
  #block: [number, number, number, number] | undefined

  /** @param seed whole number from 0 to 2⁵³−1 @param stream whole number below 2³²: independent streams of one seed */
  constructor(seed: number, stream = 0, position = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`random: seed must be a whole number from 0 to 2^53 - 1, got ${seed}`)
    if (!Number.isInteger(stream) || stream < 0 || stream > 0xffffffff)
      throw new RangeError(`random: stream must be a whole number below 2^32, got ${stream}`)
    this.seed = seed
    this.stream = stream
    this.position = position
  }

  /** The next 32 random bits. */
  uint32(): number {
    const lane = this.position % 4
    if (lane === 0 || !this.#block) {
      const index = Math.floor(this.position / 4)
      const counter = [index >>> 0, Math.floor(index / 2 ** 32), this.stream, 0]
      this.#block = philox(counter, [this.seed >>> 0, Math.floor(this.seed / 2 ** 32)])
    }
    this.position++
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
    const limit = 2 ** 32 - (2 ** 32 % bound) // values at or above would favour small results
    for (;;) {
      const word = this.uint32()
      if (word < limit) return word % bound
    }
  }

  /** Standard normal, by Box and Muller's transform: two words each. */
  gaussian(): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) / 2 ** 32))
    return radius * Math.cos((2 * Math.PI * this.uint32()) / 2 ** 32)
  }

  /** Tensor of normal numbers with the given standard deviation. */
  normal(device: Device, shape: Shape, std = 1): Tensor {
    return device.tensor(Float32Array.from({ length: sizeOf(shape) }, () => std * this.gaussian()), shape)
  }

  /** Tensor of uniform numbers in [low, high). */
  uniform(device: Device, shape: Shape, low = 0, high = 1): Tensor {
    return device.tensor(Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * this.float()), shape)
  }
}
