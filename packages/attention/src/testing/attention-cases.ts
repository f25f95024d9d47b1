import { randomArray } from '@tau/testing'
import type { ReferenceSizes } from '../kernels/lambda-attention/reference.ts'

/** Sizes. Those that may differ are distinct primes. They cover one key, queries with an offset, GQA, MQA,
 *  and more than one block of 48 × 64. */
export const SIZES: readonly ReferenceSizes[] = [
  { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys: 1, dim: 1 },
  { batch: 2, heads: 3, kvHeads: 3, queries: 7, keys: 7, dim: 5 },
  { batch: 3, heads: 4, kvHeads: 2, queries: 5, keys: 13, dim: 11 },
  { batch: 2, heads: 3, kvHeads: 1, queries: 53, keys: 67, dim: 17 },
  { batch: 1, heads: 2, kvHeads: 1, queries: 131, keys: 131, dim: 3 },
]

export const uniform = (length: number, seed: number): Float64Array =>
  randomArray(length, seed).map((x) => Math.abs(x) % 1)

/** Readings [rows, length] that stay equal at some times and rise by small or large steps at others. */
export function randomDecay(rows: number, length: number, seed: number): Float64Array {
  const steps = randomArray(rows * length, seed)
  const logDecay = new Float64Array(rows * length)
  for (let i = 0; i < logDecay.length; i++)
    logDecay[i] = (i % length === 0 ? 0 : logDecay[i - 1]) + Math.max(0, steps[i] - 0.3)
  return logDecay
}

/** Decay readings as the two f32 parts of a LogDecay. */
export function splitReadings(logDecay: Float64Array): { high: Float32Array; low: Float32Array } {
  const high = Float32Array.from(logDecay)
  return { high, low: Float32Array.from(logDecay, (c, i) => c - high[i]) }
}

/** Readings [rows, length] in f64 that rise from `start` in steps of 0.01 to 1. */
export function longDecay(rows: number, length: number, start: number): Float64Array {
  const steps = uniform(rows * length, 8)
  const logDecay = new Float64Array(rows * length)
  for (let i = 0; i < logDecay.length; i++)
    logDecay[i] = (i % length === 0 ? start : logDecay[i - 1]) + 0.01 + 0.99 * steps[i]
  return logDecay
}
