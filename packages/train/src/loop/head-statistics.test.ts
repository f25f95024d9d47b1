import { type GPT, type ModelOptions, resolveConfig } from '@tau/model'
import { cpu, gpu } from '@tau/tensor'
import { describeDevices, expectNear, randomArray } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { TokenBatches } from '../data/batches.ts'
import { distributionsOf, numbersOf, type Quantiles } from '../metrics/records.ts'
import { tiny, tinyData, tinyModel } from '../testing.ts'
import { headStatistics, quantiles } from './head-statistics.ts'

/** The quantile by the definition: linear interpolation through the points (i / (n − 1), i-th smallest
 *  value). */
function quantileByRank(values: readonly number[], p: number): number {
  const points = values
    .toSorted((a, b) => a - b)
    .map((y, i) => ({ x: i / Math.max(1, values.length - 1), y }))
  const right = points.find(({ x }) => x >= p) ?? points[0]
  const left = points.findLast(({ x }) => x <= p) ?? points[0]
  return left === right ? left.y : left.y + ((right.y - left.y) * (p - left.x)) / (right.x - left.x)
}

function quantilesByRank(values: readonly number[]): Quantiles {
  const at = (p: number) => quantileByRank(values, p)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, q05: at(0.05), q25: at(0.25), q50: at(0.5), q75: at(0.75), q95: at(0.95) }
}

const expectQuantiles = (found: Quantiles, values: readonly number[], atol: number) =>
  expectNear(Object.values(found), Object.values(quantilesByRank(values)), { atol })

describe('quantiles', () => {
  it('of four values lie between them', () => {
    const found = quantiles(Float32Array.of(3, 1, 4, 2))
    expectNear(Object.values(found), [2.5, 1.15, 1.75, 2.5, 3.25, 3.85], { atol: 1e-12 })
  })

  it('of one value are that value', () => {
    expect(new Set(Object.values(quantiles(Float32Array.of(-0.5))))).toEqual(new Set([-0.5]))
  })

  it('are ordered by number, and those of the definition', () => {
    for (const length of [2, 3, 20, 21, 101]) {
      const values = Float32Array.from(randomArray(length, length), (value) => 100 * value)
      const before = Array.from(values)
      expectQuantiles(quantiles(values), before, 1e-4) // of sums of numbers up to 300
    }
  })
})

const [rows, length] = [3, tiny.seqLen]
const { tokens } = new TokenBatches({
  ids: tinyData().train,
  seqLen: length,
  batchSize: rows,
  seed: 2,
}).batch(0)

/** Values of attention per layer and head, read directly from the probes. */
async function probed(model: GPT): Promise<Record<'lambdaQ' | 'lambdaK' | 'decay', number[][]>[]> {
  using _scope = model.device.scope()
  const layers: Promise<Record<'lambdaQ' | 'lambdaK' | 'decay', number[][]>>[] = []
  model.forward(model.tokens(tokens, rows), {
    probe: ({ values: { lambdaQ, lambdaK }, logDecay }) => {
      const reads = [lambdaQ, lambdaK, logDecay].map(async (tensor) => {
        if (!tensor) return []
        const heads = tensor.shape[1]
        const out: number[][] = Array.from({ length: heads }, () => [])
        ;(await tensor.data()).forEach((value, i) => {
          out[Math.floor(i / length) % heads].push(value)
        })
        return out
      })
      layers.push(Promise.all(reads).then(([q, k, c]) => ({ lambdaQ: q, lambdaK: k, decay: c })))
    },
  })
  return Promise.all(layers)
}

describeDevices('headStatistics', { cpu, gpu }, (device) => {
  it.for<[string, ModelOptions, { q: number; kv: number; tau: number; decay: number }]>([
    ['the default model', {}, { q: 2, kv: 2, tau: 2, decay: 2 }],
    ['two query heads on one kv head', { nKvHead: 1, decay: 'constant' }, { q: 2, kv: 1, tau: 1, decay: 2 }],
    [
      'no decay and a τ per vector',
      { preset: 'paper', tauMode: 'reference-median' },
      { q: 2, kv: 2, tau: 0, decay: 0 },
    ],
  ])('summarises what each head saw: %s', async ([, options, heads]) => {
    using model = tinyModel(device(), options)
    await headStatistics(model, tokens, rows) // RoPE's angles stay with the model
    const liveBuffers = device().memory.liveBuffers
    const found = await headStatistics(model, tokens, rows)
    expect(device().memory.liveBuffers).toBe(liveBuffers)
    const expected = await probed(model)
    expect(found).toHaveLength(tiny.nLayer)
    for (const [layer, values] of found.entries()) {
      const [lambdaQ, lambdaK] = ['lambdaQ', 'lambdaK'].map((name) => distributionsOf(values, name))
      const [temperature, tau, decayRate] = ['temperature', 'tau', 'decayRate'].map((name) =>
        numbersOf(values, name),
      )
      expect([lambdaQ.length, lambdaK.length, decayRate.length]).toEqual([heads.q, heads.kv, heads.decay])
      // Both sides have the same f32 values. The means are sums of 39.
      for (const [i, head] of lambdaQ.entries()) expectQuantiles(head, expected[layer].lambdaQ[i], 1e-6)
      for (const [i, head] of lambdaK.entries()) expectQuantiles(head, expected[layer].lambdaK[i], 1e-6)
      const rates = expected[layer].decay.map((readings) => {
        const advances = readings.flatMap((value, i) => (i % length === 0 ? [] : [value - readings[i - 1]]))
        return advances.reduce((sum, value) => sum + value, 0) / advances.length
      })
      expectNear(decayRate, rates, { atol: 1e-5 }) // readings go up to 13
      const { temperature: start } = resolveConfig(options)
      expectNear(temperature, new Array(heads.q).fill(start), { rtol: 1e-6 })
      expectNear(tau, new Array(heads.tau).fill(1), { rtol: 1e-6 })
    }
  })

  it('has nothing to say of a dot model but its decay', async () => {
    using plain = tinyModel(device(), { attention: 'dot', decay: 'none' })
    expect(await headStatistics(plain, tokens, rows)).toEqual([{}, {}])
    using constant = tinyModel(device(), { attention: 'dot', decay: 'constant', decayRate: 0.25 })
    for (const { decayRate, ...rest } of await headStatistics(constant, tokens, rows)) {
      expect(rest).toEqual({})
      expectNear(numbersOf({ decayRate }, 'decayRate'), [0.25, 0.25], { rtol: 1e-6 })
    }
  })

  it('joins the groups of a layer', async () => {
    using model = tinyModel(device(), { layers: [[{ attention: 'dot', kvHeads: 1 }, { temperature: 0.5 }]] })
    for (const values of await headStatistics(model, tokens, rows)) {
      expect(distributionsOf(values, 'lambdaQ')).toHaveLength(1)
      expect(numbersOf(values, 'temperature')).toEqual([0.5])
      expect(numbersOf(values, 'decayRate')).toHaveLength(2)
    }
  })

  it('gives no rate for a decay of one reading', async () => {
    using model = tinyModel(device())
    for (const { decayRate } of await headStatistics(model, tokens.subarray(0, 3), 3))
      expect(decayRate).toEqual([0, 0])
  })
})
