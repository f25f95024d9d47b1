import type { Device } from '@tau/tensor'
import { expectNear, expectSamples, type KernelBench } from '@tau/testing'
import { gradientCase, normalInput } from './case.bench.ts'
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
import { dotAttention } from './dot-attention/dot-attention.ts'

// Operations per pair and channel: q·k and weight·v forward; dOut·v and the gradients of q, k and v backward.
// What a kernel computes a second time does not count as work.
const FORWARD_FLOPS = 4
const BACKWARD_FLOPS = 8

function inputs(device: Device, shape: CausalShape) {
  const { batch, heads, length, dim } = shape
  const axes = [batch, heads, length, dim]
  const [q, k, v, dOut] = [1, 2, 3, 4].map((seed) => normalInput(device, axes, seed))
  const score: Score = (head, query, key) => {
    let product = 0
    for (let c = 0; c < dim; c++)
      product += q.values[(head * length + query) * dim + c] * k.values[(head * length + key) * dim + c]
    return product / Math.sqrt(dim)
  }
  return { q, k, v, dOut, score, op: () => dotAttention({ q: q.tensor, k: k.tensor, v: v.tensor }) }
}

/** The forward pass. */
export const dotForward = (name: string, shape: CausalShape): KernelBench<Device> => ({
  name,
  shape: shapeText(shape),
  work: { flops: FORWARD_FLOPS * pairsOf(shape) * shape.dim },
  prepare(device) {
    const { v, op, score } = inputs(device, shape)
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

/** Both passes. */
export const dotForwardBackward = (name: string, shape: CausalShape): KernelBench<Device> => ({
  name,
  shape: shapeText(shape),
  work: { flops: (FORWARD_FLOPS + BACKWARD_FLOPS) * pairsOf(shape) * shape.dim },
  prepare(device) {
    const { batch, heads, length, dim } = shape
    const { q, k, v, dOut, op, score } = inputs(device, shape)
    const tensors = { q: q.tensor, k: k.tensor, v: v.tensor }
    return gradientCase(device, tensors, dOut.tensor, op, (out, grads) => {
      expectAttention(out, v.values, shape, score)
      expectValueGradients(grads.v, dOut.values, shape)
      const dQAt = (index: number) => {
        const row = Math.floor(index / dim)
        const first = row - (row % length)
        return scoreGradients(row, v.values, dOut.values, shape, score).reduce(
          (sum, ds, key) => sum + (ds * k.values[(first + key) * dim + (index % dim)]) / Math.sqrt(dim),
          0,
        )
      }
      expectSamples(grads.q, dQAt, { atol: 1e-5 }, samplesOf(shape)) // products of dOut and v up to 30 in f32
      // If the queries or the keys are doubled, the scores double alike. So per head Σ q·dq = Σ k·dk.
      const scaled = (gradient: Float32Array, values: Float32Array) =>
        headSums(
          Float64Array.from(gradient, (g, i) => g * values[i]),
          batch * heads,
        )
      expectNear(scaled(grads.k, k.values), scaled(grads.q, q.values), { atol: 1e-6 * length })
    })
  },
})
