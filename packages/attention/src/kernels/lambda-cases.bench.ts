import type { Device, Tensor } from '@tau/tensor'
import { expectNear, expectSamples, type KernelBench, randomArray } from '@tau/testing'
import { gradientCase, inputOf, normalInput } from './case.bench.ts'
import {
  type CausalShape,
  expectAttention,
  expectValueGradients,
  headSums,
  pairsOf,
  type Score,
  samplesOf,
  scoreGradients,
  shapeText,
} from './causal.bench.ts'
import { constantDecay } from './decay/decay.ts'
import { type LambdaAlgorithm, lambdaAttention } from './lambda-attention/lambda-attention.ts'

// Operations per pair and channel: weight·v forward; dOut·v and the gradient of v backward. The few
// operations of a score per pair are not counted. So compare with the dot product by time, not by GFLOPS.
const FORWARD_FLOPS = 2
const BACKWARD_FLOPS = 4
/** The temperature with which the default preset starts. */
const TEMPERATURE = 0.05
/** The biases with which its forget gates start, from the first head to the last: f = sigmoid(bias). f is the
 *  same for every token until training moves it. */
const FIRST_BIAS = 0.5
const LAST_BIAS = 5.5

export interface LambdaSetting {
  /** Default 'auto'. */
  readonly algorithm?: LambdaAlgorithm
  /** Whether there are forget gates, as the default preset starts them. A single head takes the middle
   *  bias. */
  readonly hasDecay?: boolean
}

/** Decay per token of each head: −log sigmoid(bias). */
const ratesOf = (heads: number): Float32Array =>
  Float32Array.from({ length: heads }, (_, head) => {
    const bias = FIRST_BIAS + (LAST_BIAS - FIRST_BIAS) * (heads > 1 ? head / (heads - 1) : 0.5)
    return Math.log1p(Math.exp(-bias))
  })

function inputs(device: Device, shape: CausalShape, { algorithm, hasDecay = false }: LambdaSetting) {
  const { batch, heads, length, dim } = shape
  const [lambdaQ, lambdaK] = [1, 2].map((seed) => {
    const values = randomArray(batch * heads * length, seed).map((x) => 1 / (1 + Math.exp(-x))) // in (0, 1), as λ is
    return inputOf(device, values, [batch, heads, length])
  })
  const v = normalInput(device, [batch, heads, length, dim], 3)
  const dOut = normalInput(device, [batch, heads, length, dim], 4)
  const temperature = device.tensor(Array<number>(heads).fill(TEMPERATURE))
  const rates = ratesOf(heads)
  const logDecay = hasDecay ? constantDecay(device.tensor(rates), length) : undefined
  const score: Score = (head, query, key) =>
    -Math.abs(lambdaQ.values[head * length + query] - lambdaK.values[head * length + key]) / TEMPERATURE -
    (hasDecay ? rates[head % heads] * (query - key) : 0)
  const op = () =>
    lambdaAttention({
      lambdaQ: lambdaQ.tensor,
      lambdaK: lambdaK.tensor,
      v: v.tensor,
      temperature,
      logDecay,
      algorithm,
    })
  return { lambdaQ, lambdaK, v, dOut, temperature, logDecay, score, op }
}

/** The forward pass. */
export const lambdaForward = (
  name: string,
  shape: CausalShape,
  setting: LambdaSetting = {},
): KernelBench<Device> => ({
  name,
  shape: shapeText(shape),
  work: { flops: FORWARD_FLOPS * pairsOf(shape) * shape.dim },
  prepare(device) {
    const { v, op, score } = inputs(device, shape, setting)
    return {
      run() {
        using _scope = device.scope() // frees the kernel's statistics too
        op()
      },
      async check() {
        using _scope = device.scope()
        expectAttention(await op().data(), v.values, shape, score)
      },
    }
  },
})

/** Both passes. If there is a decay, its gradient is computed too. */
export const lambdaForwardBackward = (
  name: string,
  shape: CausalShape,
  setting: LambdaSetting = {},
): KernelBench<Device> => ({
  name,
  shape: shapeText(shape),
  work: { flops: (FORWARD_FLOPS + BACKWARD_FLOPS) * pairsOf(shape) * shape.dim },
  prepare(device) {
    const { batch, heads, length } = shape
    const { lambdaQ, lambdaK, v, dOut, temperature, logDecay, op, score } = inputs(device, shape, setting)
    const tensors: Record<string, Tensor> = {
      ...{ lambdaQ: lambdaQ.tensor, lambdaK: lambdaK.tensor, v: v.tensor, temperature },
      ...(logDecay && { logDecay: logDecay.high }),
    }
    return gradientCase(device, tensors, dOut.tensor, op, (out, grads) => {
      expectAttention(out, v.values, shape, score)
      expectValueGradients(grads.v, dOut.values, shape)
      const dLambdaQAt = (row: number) => {
        const first = row - (row % length)
        return scoreGradients(row, v.values, dOut.values, shape, score).reduce(
          (sum, ds, key) =>
            sum - (ds * Math.sign(lambdaQ.values[row] - lambdaK.values[first + key])) / TEMPERATURE,
          0,
        )
      }
      // 1 / temperature times f32 products of up to 30
      expectSamples(grads.lambdaQ, dLambdaQAt, { atol: 1e-3 }, samplesOf(shape))
      // If all λ move by the same amount, the scores stay the same. So per head Σ dλq = −Σ dλk.
      const [sumQ, sumK] = [grads.lambdaQ, grads.lambdaK].map((values) => headSums(values, batch * heads))
      expectNear(
        sumK,
        sumQ.map((total) => -total),
        { atol: 2e-5 * length },
      )
      // If λ and temperature are scaled alike, the scores stay the same. So per head Σ
      // λ·dλ + temperature·dTemperature = 0.
      const scaled = (gradient: Float32Array, values: Float32Array) =>
        headSums(
          Float64Array.from(gradient, (g, i) => g * values[i]),
          batch * heads,
        )
      const moved = scaled(grads.lambdaQ, lambdaQ.values).map(
        (total, head) => total + scaled(grads.lambdaK, lambdaK.values)[head],
      )
      const expected = Float64Array.from({ length: heads }, (_, head) =>
        moved.reduce((sum, total, i) => (i % heads === head ? sum - total / TEMPERATURE : sum), 0),
      )
      expectNear(grads.temperature, expected, { atol: 1e-4 * batch * length })
    })
  },
})
