import type { Device } from '@tau/tensor'
import { expectNear, expectSamples, type KernelBench, randomArray } from '@tau/testing'
import { type Benches, gradientCase, inputOf, normalInput } from '../case.bench.ts'
import {
  CAUSAL_SHAPES,
  type CausalShape,
  expectAttention,
  expectValueGradients,
  headSums,
  pairsOf,
  type Score,
  scoreGradients,
  shapeText,
} from '../causal.bench.ts'
import { lambdaAttention } from './lambda-attention.ts'

// Per pair and channel: weight·v forward; dOut·v and the gradient of v backward. Scores cost a few operations per pair, which
// are not counted: figures compare with those of the dot product by time, not by GFLOPS.
const FORWARD_FLOPS = 2
const BACKWARD_FLOPS = 4
/** Where the temperature of the default preset starts. */
const TEMPERATURE = 0.05

function inputs(device: Device, shape: CausalShape) {
  const { batch, heads, length, dim } = shape
  const [lambdaQ, lambdaK] = [1, 2].map((seed) => {
    const values = randomArray(batch * heads * length, seed).map((x) => 1 / (1 + Math.exp(-x))) // in (0, 1), as λ is
    return inputOf(device, values, [batch, heads, length])
  })
  const v = normalInput(device, [batch, heads, length, dim], 3)
  const dOut = normalInput(device, [batch, heads, length, dim], 4)
  const temperature = device.tensor(Array<number>(heads).fill(TEMPERATURE))
  const score: Score = (head, query, key) =>
    -Math.abs(lambdaQ.values[head * length + query] - lambdaK.values[head * length + key]) / TEMPERATURE
  const op = () =>
    lambdaAttention({ lambdaQ: lambdaQ.tensor, lambdaK: lambdaK.tensor, v: v.tensor, temperature })
  return { lambdaQ, lambdaK, v, dOut, temperature, score, op }
}

const rivalOf = (pass: string, { name }: CausalShape) => ({
  name: `dot-attention/${pass}_${name}`,
  as: 'dot',
})

const forward = (shape: CausalShape): KernelBench<Device> => ({
  name: `lambda-attention/forward_${shape.name}`,
  shape: shapeText(shape),
  work: { flops: FORWARD_FLOPS * pairsOf(shape) * shape.dim },
  rival: rivalOf('forward', shape),
  prepare(device) {
    const { v, op, score } = inputs(device, shape)
    return {
      run() {
        using _scope = device.scope() // the kernel's statistics go, too
        op()
      },
      async check() {
        using _scope = device.scope()
        expectAttention(await op().data(), v.values, shape, score)
      },
    }
  },
})

const forwardBackward = (shape: CausalShape): KernelBench<Device> => ({
  name: `lambda-attention/forward_backward_${shape.name}`,
  shape: shapeText(shape),
  work: { flops: (FORWARD_FLOPS + BACKWARD_FLOPS) * pairsOf(shape) * shape.dim },
  rival: rivalOf('forward_backward', shape),
  prepare(device) {
    const { batch, heads, length } = shape
    const { lambdaQ, lambdaK, v, dOut, temperature, op, score } = inputs(device, shape)
    const tensors = { lambdaQ: lambdaQ.tensor, lambdaK: lambdaK.tensor, v: v.tensor, temperature }
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
      expectSamples(grads.lambdaQ, dLambdaQAt, { atol: 1e-3 }) // 1/temperature times products up to 30 in f32
      // All λ moved by the same amount give the same scores: per head Σ dλq = −Σ dλk.
      const [sumQ, sumK] = [grads.lambdaQ, grads.lambdaK].map((values) => headSums(values, batch * heads))
      expectNear(
        sumK,
        sumQ.map((total) => -total),
        { atol: 2e-5 * length },
      )
      // λ and temperature scaled alike give the same scores: Σ λ·dλ + temperature·dTemperature = 0 per head.
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

/** Lambda-distance attention, timed in the same rounds as the dot product. */
export const benches: Benches = CAUSAL_SHAPES.flatMap((shape) => [forward(shape), forwardBackward(shape)])
