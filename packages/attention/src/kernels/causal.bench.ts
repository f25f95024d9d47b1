import { expectNear, expectSamples } from '@tau/testing'
import { rowOf } from './case.bench.ts'

/** Self-attention of B sequences with H heads over T tokens, D channels per head. */
export interface CausalShape {
  readonly name: string
  readonly batch: number
  readonly heads: number
  readonly length: number
  readonly dim: number
}

/** The contexts of tau-nano and tau-30m. */
export const CAUSAL_SHAPES: readonly CausalShape[] = [
  { name: 'T256_D32', batch: 8, heads: 4, length: 256, dim: 32 },
  { name: 'T1024_D64', batch: 1, heads: 6, length: 1024, dim: 64 },
]

export const shapeText = ({ batch, heads, length, dim }: CausalShape): string =>
  `[${batch}, ${heads}, ${length}, ${dim}]`

/** Number of pairs of a query and a key that is not later, over all heads. Work is counted per pair. */
export const pairsOf = ({ batch, heads, length }: CausalShape): number =>
  (batch * heads * length * (length + 1)) / 2

/** How many queries a check looks at. Each of them costs T·D operations in f64. */
export const samplesOf = ({ length }: Pick<CausalShape, 'length'>): number =>
  Math.max(7, Math.min(61, Math.floor(2 ** 19 / length)))

/** score(head, query, key), as in docs/definition.md, section 3. */
export type Score = (head: number, query: number, key: number) => number

/** Softmax weights of one query over the keys up to it. `row` counts queries through all heads. */
export function weightsOf(row: number, { length }: CausalShape, score: Score): Float64Array {
  const head = Math.floor(row / length)
  const query = row % length
  const scores = Float64Array.from({ length: query + 1 }, (_, key) => score(head, query, key))
  const peak = scores.reduce((a, b) => Math.max(a, b))
  const weights = scores.map((s) => Math.exp(s - peak))
  const mass = weights.reduce((a, b) => a + b)
  return weights.map((weight) => weight / mass)
}

/** Compares samples of the output with Σ_j weight_j·v_j. */
export function expectAttention(
  found: ArrayLike<number>,
  v: Float32Array,
  shape: CausalShape,
  score: Score,
): void {
  const { length, dim } = shape
  const expectedAt = (index: number) => {
    const row = Math.floor(index / dim)
    const first = row - (row % length) // key 0 of the head
    return weightsOf(row, shape, score).reduce(
      (sum, weight, key) => sum + weight * v[(first + key) * dim + (index % dim)],
      0,
    )
  }
  // Ten times the rounding of values up to 3.5
  expectSamples(found, expectedAt, { atol: 2e-6 }, samplesOf(shape))
}

/** The gradient of one query's scores: ds_ij = weight_ij (dOut_i·v_j − Σ_k weight_ik dOut_i·v_k). */
export function scoreGradients(
  row: number,
  v: Float32Array,
  dOut: Float32Array,
  shape: CausalShape,
  score: Score,
): Float64Array {
  const { length, dim } = shape
  const first = row - (row % length)
  const gradient = rowOf(dOut, row, dim)
  const weights = weightsOf(row, shape, score)
  const products = weights.map((_, key) =>
    gradient.reduce((sum, value, c) => sum + value * v[(first + key) * dim + c], 0),
  )
  const mean = weights.reduce((sum, weight, key) => sum + weight * products[key], 0)
  return weights.map((weight, key) => weight * (products[key] - mean))
}

/** The weights of a query sum to 1. So per head and channel the gradients of v and the gradients of out have
 *  the same sum. */
export function expectValueGradients(dV: Float32Array, dOut: Float32Array, shape: CausalShape): void {
  const { batch, heads, length, dim } = shape
  const sums = (values: Float32Array) => {
    const totals = new Float64Array(batch * heads * dim)
    for (let i = 0; i < values.length; i++)
      totals[Math.floor(i / (length * dim)) * dim + (i % dim)] += values[i]
    return totals
  }
  expectNear(sums(dV), sums(dOut), { atol: 2e-6 * length })
}

/** Σ values over each head. */
export function headSums(values: ArrayLike<number>, heads: number): Float64Array {
  const sums = new Float64Array(heads)
  for (let i = 0; i < values.length; i++) sums[Math.floor((i * heads) / values.length)] += values[i]
  return sums
}
