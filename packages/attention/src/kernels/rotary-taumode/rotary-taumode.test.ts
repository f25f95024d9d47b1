import { csrFromDense } from '@tau/graph'
import { cpu, type Device, gpu, grad, sum, type Tensor } from '@tau/tensor'
import { checkGradients, describeDevices, expectNear, randomArray } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { LaplacianTensor } from '../../laplacian-tensor.ts'
import { outAndGrads } from '../../testing/tensors.ts'
import { RopeTable } from '../rope/rope-table.ts'
import { type RotaryTaumodeCase, rotaryTaumodeReference } from './reference.ts'
import { composedRotaryTaumode, rotaryTaumode } from './rotary-taumode.ts'

/** L of a connected random graph. `extra` is added to the diagonal, so that rows need not sum to 0. */
function randomLaplacian(dim: number, seed: number, extra = 0): Float64Array {
  const noise = randomArray(dim * dim, seed)
  const dense = new Float64Array(dim * dim)
  for (let i = 0; i < dim; i++) {
    dense[i * dim + i] += extra
    for (let j = i + 1; j < dim; j++) {
      if (j !== i + 1 && Math.abs(noise[i * dim + j]) > 0.4) continue
      const weight = 0.1 + Math.abs(noise[j * dim + i])
      dense[i * dim + j] = dense[j * dim + i] = -weight
      dense[i * dim + i] += weight
      dense[j * dim + j] += weight
    }
  }
  return dense
}

const upload = (device: Device, dense: Float64Array, dim: number) =>
  LaplacianTensor.from(device, csrFromDense({ data: dense, rows: dim, cols: dim }))

/** Queries of a few sequences. `limit` clamps about a fifth of their elements. */
const CASES: readonly RotaryTaumodeCase[] = [
  { batch: 2, length: 7, heads: 3, dim: 10, limit: 1.3 },
  { batch: 1, length: 29, heads: 5, dim: 6, limit: 1.3, start: 1001, base: 500 },
  { batch: 3, length: 1, heads: 6, dim: 14, limit: 1.3, start: 5 },
  { batch: 1, length: 19, heads: 1, dim: 2, limit: 1.3, eps: 0.1 },
  { batch: 1, length: 2, heads: 17, dim: 22, limit: 1.3 },
]

const optionsOf = ({ heads, limit, start, base, eps }: RotaryTaumodeCase) => ({
  ...{ heads, clamp: limit, start, base, eps },
})

const shapeOf = ({ batch, length, heads, dim }: RotaryTaumodeCase) => [batch, length, heads * dim]

describeDevices('rotaryTaumode', { cpu, gpu }, (device) => {
  it.for(CASES)('is within 2e-6 of the f64 reference: %j', async (test) => {
    using _scope = device().scope()
    const { heads, dim, batch, length } = test
    const dense = randomLaplacian(dim, dim, 0.3)
    using laplacian = upload(device(), dense, dim)
    const values = Float32Array.from(randomArray(batch * length * heads * dim, 7))
    const tau = Float32Array.from(randomArray(heads, 8), (v) => 0.3 + Math.abs(v))
    const y = device().tensor(values, shapeOf(test))
    const found = rotaryTaumode(y, laplacian, device().tensor(tau), optionsOf(test))
    expect(found.shape).toEqual([batch, heads, length])
    const expected = rotaryTaumodeReference(Float64Array.from(values), dense, (head) => tau[head], test)
    expectNear(await found.data(), expected, { atol: 2e-6 }) // f32 sums of positive terms, one per edge
  })

  it.for(CASES)('has the gradients of the reference for y and for τ of heads: %j', async (test) => {
    const { heads, dim, batch, length } = test
    const dense = randomLaplacian(dim, dim, 0.3)
    using laplacian = upload(device(), dense, dim)
    const tauHeads = heads % 3 === 0 ? heads / 3 : heads
    const away = (value: number) => (Math.abs(Math.abs(value) - test.limit) < 1e-3 ? 0.9 * value : value)
    await checkGradients({
      inputs: [
        randomArray(batch * length * heads * dim, 3).map(away), // no kink within a step of finite differences
        randomArray(heads / tauHeads, 4).map((v) => 0.3 + Math.abs(v)),
      ],
      reference: (y, tau) =>
        rotaryTaumodeReference(y, dense, (head) => tau[Math.floor(head / tauHeads)], test),
      gradients: async ([y, tau], weights) => {
        using _scope = device().scope()
        const inputs = { y: device().tensor(y, shapeOf(test)), tau: device().tensor(tau) }
        const upstream = device().tensor(weights, [batch, heads, length])
        const { grads } = await outAndGrads(inputs, upstream, () =>
          rotaryTaumode(inputs.y, laplacian, inputs.tau, optionsOf(test)),
        )
        return [grads.y, grads.tau]
      },
      tolerance: { atol: 4e-6, rtol: 4e-6 },
    })
  })

  it('agrees with single operations at the sizes of a model', async () => {
    using _scope = device().scope()
    const [batch, length, heads, dim] = [1, 131, 6, 64]
    using laplacian = upload(device(), randomLaplacian(dim, 5), dim)
    const y = device().tensor(
      randomArray(batch * length * heads * dim, 1).map((v) => 3 * v),
      [batch, length, heads * dim],
    )
    const weights = device().tensor(randomArray(batch * heads * length, 2), [batch, heads, length])
    const options = { heads, clamp: 5, start: 3 }
    const results = await Promise.all(
      [rotaryTaumode, composedRotaryTaumode].map((op) =>
        outAndGrads({ y }, weights, () => op(y, laplacian, 0.7, options)),
      ),
    )
    const [fused, composed] = results
    expectNear(fused.out, composed.out, { atol: 1e-6 })
    expectNear(fused.grads.y, composed.grads.y, { atol: 1e-6 })
  })

  it('leaves only its result behind if no scope is open', () => {
    const { memory } = device()
    {
      using laplacian = upload(device(), randomLaplacian(4, 7), 4)
      using table = new RopeTable(device(), 4, 5)
      using y = device().tensor(randomArray(24, 10), [1, 2, 12], 'f32')
      using tau = device().tensor([0.5, 1, 2])
      const options = { heads: 3, clamp: 5, table }
      const run = () => {
        for (const op of [rotaryTaumode, composedRotaryTaumode]) {
          op(y, laplacian, 1, options).dispose()
          op(y, laplacian, tau, { ...options, start: 3 }).dispose()
        }
      }
      run() // the table stays
      const { liveBuffers } = device().memory
      run()
      expect(device().memory.liveBuffers).toBe(liveBuffers)
      expect(tau.disposed).toBe(false)
    }
    expect(device().memory).toEqual(memory)
  })

  it('rotates by angles that are as exact at 2²⁴ as at 0', async () => {
    using _scope = device().scope()
    const test = { batch: 1, length: 67, heads: 1, dim: 12, limit: 4, start: 2 ** 24 - 5 }
    const dense = randomLaplacian(12, 6)
    using laplacian = upload(device(), dense, 12)
    const values = Float32Array.from(randomArray(67 * 12, 9))
    const found = rotaryTaumode(device().tensor(values, shapeOf(test)), laplacian, 1, optionsOf(test))
    const expected = rotaryTaumodeReference(Float64Array.from(values), dense, () => 1, test)
    expectNear(await found.data(), expected, { atol: 2e-6 })
  })

  it('keeps NaN to its own vector, and gives a zero vector λ 0 and no gradient', async () => {
    using _scope = device().scope()
    using laplacian = upload(device(), randomLaplacian(4, 2), 4)
    const values = new Float32Array(3 * 4).fill(1, 8)
    values[1] = Number.NaN
    values[11] = -2
    const y = device().tensor(values, [1, 3, 4])
    const { out, grads } = await outAndGrads({ y }, device().tensor([1, 1, 1], [1, 1, 3]), () =>
      rotaryTaumode(y, laplacian, 1, { heads: 1, clamp: 5 }),
    )
    expect(out[0]).toBeNaN()
    expect(out[1]).toBe(0)
    expect(out[2]).toBeGreaterThan(0)
    expect([...grads.y.subarray(4, 8)]).toEqual([0, 0, 0, 0])
    expect(grads.y.subarray(8).every(Number.isFinite)).toBe(true)
  })

  it('refuses bad inputs and quotes the values', () => {
    using _scope = device().scope()
    using laplacian = upload(device(), randomLaplacian(4, 1), 4)
    using odd = upload(device(), randomLaplacian(3, 1), 3)
    const y = device().tensor(new Float32Array(24), [1, 2, 12])
    const options = { heads: 3, clamp: 5 }
    const run = (changed: object, tau: number | Tensor = 1, graph = laplacian) =>
      rotaryTaumode(y, graph, tau, { ...options, ...changed })
    expect(() => run({ heads: 2 })).toThrow(
      'rotaryTaumode: y must be [B, T, heads·D] for 2 heads and L [4, 4], got [1, 2, 12]',
    )
    expect(() => run({ heads: 4 }, 1, odd)).toThrow(
      'vectors must have an even length to be rotated, got L [3, 3]',
    )
    expect(() => run({ clamp: 0 })).toThrow(
      'rotaryTaumode: clamp must be above 0 and at most 1000000000000, got 0',
    )
    expect(() => run({ clamp: Infinity })).toThrow('got Infinity')
    expect(() => run({ eps: -1 })).toThrow('rotaryTaumode: eps must be at least 0 and finite, got -1')
    expect(() => run({ start: 0.5 })).toThrow(
      'rotaryTaumode: start must be a whole number of at least 0, got 0.5',
    )
    expect(() => run({}, 0)).toThrow('rotaryTaumode: tau must be above 0 and finite, got 0')
    expect(() => run({}, device().tensor([1, 1]))).toThrow('[Hτ] with Hτ dividing 3 heads, got [2]')
  })
})

describe('rotaryTaumode', () => {
  it('has the same bits on 1, 2 and 4 threads', async () => {
    const dense = randomLaplacian(16, 3)
    const results = await Promise.all(
      [1, 2, 4].map(async (threads) => {
        const device = await cpu({ threads })
        using _scope = device.scope()
        using laplacian = upload(device, dense, 16)
        const y = device.tensor(randomArray(2 * 509 * 3 * 16, 1), [2, 509, 48])
        const tau = device.tensor([0.4, 1, 2])
        let lambda: Tensor | undefined
        const { grads } = grad(() => {
          lambda = rotaryTaumode(y, laplacian, tau, { heads: 3, clamp: 2 })
          return sum(lambda)
        }, [y, tau])
        const values = await Promise.all([...grads, lambda!].map((tensor) => tensor.data()))
        await device.close()
        return values
      }),
    )
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })
})
