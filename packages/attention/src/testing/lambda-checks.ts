import type { Device, Tensor } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import {
  type LambdaAlgorithm,
  type LambdaAttentionInputs,
  lambdaAttention,
} from '../kernels/lambda-attention/lambda-attention.ts'
import {
  lambdaAttentionGradReference,
  lambdaAttentionReference,
} from '../kernels/lambda-attention/reference.ts'
import type { LambdaCase, LambdaSpec } from './lambda-cases.ts'
import { outAndGrads } from './tensors.ts'

export const largest = (values: ArrayLike<number>): number =>
  Array.prototype.reduce.call(values, (most, x) => Math.max(Number(most), Math.abs(Number(x))), 0) as number

/** Inputs on a device, and the named tensors whose gradients are taken. */
export interface OnDevice {
  readonly inputs: LambdaAttentionInputs
  readonly named: Readonly<Record<string, Tensor>>
}

export function inputsOf(
  device: Device,
  { sizes, logDecay, shared, parts }: LambdaSpec,
  numbers: LambdaCase,
): OnDevice {
  const { batch, heads, kvHeads, queries, keys, dim } = sizes
  const base = {
    lambdaQ: device.tensor(numbers.lambdaQ, [batch, heads, queries]),
    lambdaK: device.tensor(numbers.lambdaK, [batch, kvHeads, keys]),
    v: device.tensor(numbers.v, [batch, kvHeads, keys, dim]),
    temperature: device.tensor(numbers.temperature),
  }
  if (logDecay === 'none') return { inputs: base, named: base }
  const shape = shared ? [heads, keys] : [batch, heads, keys]
  const high = device.tensor(numbers.given.high, shape)
  const low = device.tensor(numbers.given.low, shape)
  return { inputs: { ...base, logDecay: parts ? { high, low } : high }, named: { ...base, logDecay: high } }
}

/** out and the gradients of Σ dOut·out. */
export async function attend(
  { inputs, named }: OnDevice,
  dOut: Tensor,
  algorithm: LambdaAlgorithm,
): Promise<Float32Array[]> {
  const { out, grads } = await outAndGrads(named, dOut, () => lambdaAttention({ ...inputs, algorithm }))
  return [out, ...Object.values(grads)]
}

/** The same from the f64 reference. The decay's gradient has the shape in which the decay was given. */
export function attendReference(
  { sizes }: LambdaSpec,
  { lambdaQ, lambdaK, v, temperature, logDecay, given }: LambdaCase,
  dOut: Float64Array,
): Float64Array[] {
  const out = lambdaAttentionReference(sizes, lambdaQ, lambdaK, v, temperature, logDecay)
  const grads = lambdaAttentionGradReference(sizes, [lambdaQ, lambdaK, v, temperature, logDecay], dOut)
  const dLogDecay = new Float64Array(given.high.length) // a shared decay gets the sum over the batch
  grads[4].forEach((x, i) => {
    dLogDecay[i % dLogDecay.length] += x
  })
  return [out, ...grads.with(4, dLogDecay)]
}

const NAMES = ['out', 'dLambdaQ', 'dLambdaK', 'dV', 'dTemperature', 'dLogDecay'] as const

/** The largest size that one term of out and of each gradient can have. If all terms of a gradient cancel,
 *  their rounding remains. */
export function termSizes({ v, temperature }: LambdaCase, dOut: Float64Array, dim: number): number[] {
  const product = largest(v) * largest(dOut) * dim
  const beta = 1 / Math.min(...temperature)
  return [largest(v), beta * product, beta * product, largest(dOut), beta ** 2 * product, product]
}

/** Compares results with expected ones. Bounds are shares of the largest expected number; for gradients this
 *  number is at least `floor` times the size of a term. */
export function expectClose(
  found: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
  terms: readonly number[],
  bounds: { readonly out: number; readonly grads: number; readonly floor: number },
): void {
  for (const [i, values] of found.entries())
    try {
      const scale = largest(expected[i])
      // A temperature's gradient is one sum over all rows, with terms of either sign. It may be a tenth of
      // its terms' sum.
      const grads = i === 4 ? 10 * bounds.grads : bounds.grads
      const bound = i === 0 ? bounds.out * scale : grads * Math.max(scale, bounds.floor * terms[i])
      expectNear(values, expected[i], { atol: bound })
    } catch (error) {
      throw new Error(`${NAMES[i]}: ${error instanceof Error ? error.message : error}`)
    }
}

/** Number of pairs. Each costs about 50 ns in the reference, gradients included. */
export const pairsOf = ({ sizes: { batch, heads, queries, keys } }: LambdaSpec): number =>
  batch * heads * queries * keys
