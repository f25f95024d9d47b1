import { rayleighEnergies, type TauPolicy, tauFromEnergies } from '@tau/graph'
import { cpu, type Device, gpu } from '@tau/tensor'
import { describeDevices } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { calibrateModel, recalibrates } from './calibrate.ts'
import type { ModelOptions } from './config/config.ts'
import type { GPT } from './gpt.ts'
import { randomIds, randomLaplacian, tausOf, tiny, tinyModel } from './testing.ts'

const BATCH = 2
const ids = randomIds(BATCH * 11, tiny.vocabSize)
const DIM = tiny.manifoldDim

/** What one layer's queries and keys are now, one vector of the manifold after the other. */
async function vectorsOf(model: GPT, wanted: number): Promise<Float64Array> {
  const reads: Promise<Float32Array>[] = []
  {
    using scope = model.device.scope()
    model.forward(model.tokens(ids, BATCH), {
      probe: ({ layer, q, k }) => {
        if (layer === wanted) reads.push(q.data(), k.data())
      },
    })
    void scope
  }
  const [q, k] = await Promise.all(reads)
  return Float64Array.of(...q, ...k)
}

describeDevices(
  'calibrateModel',
  { cpu, gpu },
  (device) => {
    it.for<[string, TauPolicy]>([
      ['median', { name: 'median' }],
      ['mean', { name: 'mean' }],
      ['percentile:0.9', { name: 'percentile', value: 0.9 }],
    ])('%s: τ of each layer is what @tau/graph makes of its energies', async ([tauPolicy, policy]) => {
      const options: ModelOptions = { tauMode: 'adaptive', tau: 7, tauPolicy, eps: 0.5, temperature: 0.5 }
      using model = await tinyModel(device(), options)
      const tokens = model.tokens(ids, BATCH)
      const start = await vectorsOf(model, 1)
      const before = device().memory
      const taus = await calibrateModel(model, tokens)
      expect(device().memory).toEqual(before)
      expect(tausOf(model)).toEqual(taus)
      expect(recalibrates(model)).toBe(true)
      const laplacian = randomLaplacian(DIM)
      for (const layer of [0, 1]) {
        // τ of earlier layers is already calibrated. So layer 0 has the same input as before, and layer 1 has
        // the output of layer 0 with its new τ.
        const data = await vectorsOf(model, layer)
        const energies = rayleighEnergies({ data, rows: data.length / DIM, cols: DIM }, laplacian, 0.5)
        expect(energies).toHaveLength(BATCH * 11 * (6 + 3))
        const expected = tauFromEnergies(energies, policy)
        expect(Math.abs(taus[layer] / expected - 1), `layer ${layer}`).toBeLessThan(1e-5)
      }
      expect(await vectorsOf(model, 1)).not.toEqual(start)
      expect(taus[0]).not.toBeCloseTo(taus[1], 3)
      tokens.dispose()
    })
  },
  ['cpu plain 1 thread', 'cpu relaxed 2 threads', 'gpu.js cpu'],
)

describe('calibration', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())

  it('changes what the model says, and settles', async () => {
    using model = await tinyModel(device, { tauMode: 'fixed', tau: 100, temperature: 0.05 })
    using tokens = model.tokens(ids, BATCH)
    const loss = () => {
      using _scope = device.scope()
      return model.loss(tokens, tokens).item()
    }
    const before = await loss()
    const taus = await calibrateModel(model, tokens)
    expect(taus.every((tau) => tau > 0 && tau < 50)).toBe(true)
    expect(await loss()).not.toBe(before)
    expect(await calibrateModel(model, tokens)).toEqual(taus)
  })

  it.for<[ModelOptions, string]>([
    [{ tauMode: 'learned' }, 'got tau attention with tauMode learned'],
    [{ tauMode: 'reference-median' }, 'got tau attention with tauMode reference-median'],
    [{ tauMode: 'reference-mean' }, 'got tau attention with tauMode reference-mean'],
    [{ attention: 'dot', tauMode: 'fixed' }, 'got dot attention with tauMode none'],
  ])('refuses %o, whose τ is not one number to set', async ([options, message]) => {
    using model = await tinyModel(device, options)
    using tokens = model.tokens(ids, BATCH)
    await expect(calibrateModel(model, tokens)).rejects.toThrow(
      `calibrate: τ must be fixed or adaptive in a tau model, ${message}`,
    )
    expect(tausOf(model)).toEqual(options.attention === 'dot' ? [undefined, undefined] : [1, 1])
    expect(recalibrates(model)).toBe(false)
  })
})
