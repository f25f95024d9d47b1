import type { ModelOptions } from '@tau/model'
import { cpu, type Device } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TokenBatches } from '../data/batches.ts'
import { evalsOf, readAll, recordRun, tausOf, tiny, tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { modelOptimizer } from './optimizer.ts'
import { learningRate } from './schedule.ts'
import { trainStep } from './step.ts'

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())

describe('a run', () => {
  it('says in order what it did', async () => {
    using model = tinyModel(device)
    const { records, result, steps } = await recordRun({
      model,
      options: { steps: 7, evalEvery: 3, headsEvery: 2, sampleEvery: 5, accumulate: 2 },
      sample: async (step) => ({ prompt: 'Call', text: ` me ${step}` }),
    })
    expect(records.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      ...[
        'eval 0',
        'heads 0',
        'sample 0',
        'step 1',
        'step 2',
        'heads 2',
        'step 3',
        'eval 3',
        'step 4',
        'heads 4',
      ],
      ...['step 5', 'sample 5', 'step 6', 'eval 6', 'heads 6', 'step 7', 'eval 7', 'sample 7', 'end 7'],
    ])
    for (const { step, lr, tokens, tokensPerSec, stepMs, loss, gradNorm } of steps) {
      expect(lr).toBe(learningRate(step - 1, { peak: 3e-3, floor: 3e-4, warmup: 2, total: 7 }))
      expect(tokens).toBe(step * 2 * 3 * 13)
      expect(tokensPerSec).toBeCloseTo((2 * 3 * 13 * 1000) / stepMs, 6)
      expect(loss).toBeGreaterThan(3)
      expect(gradNorm).toBeGreaterThan(0)
    }
    const [evaluation] = evalsOf(records).slice(-1)
    expect(evaluation.tokens).toBe(117) // batches of 39 until 100 are reached
    expect(evaluation.valBpb).toBeCloseTo(evaluation.valLoss / Math.LN2 / tinyData().bytesPerToken, 12)
    const { valLoss, valBpb } = evaluation
    expect(result).toEqual({ step: 7, reason: 'finished', valLoss, valBpb, checkpoint: undefined })
    expect(records.at(-1)).toMatchObject({ kind: 'end', reason: 'finished', seconds: expect.any(Number) })
    expect(records.find((line) => line.kind === 'sample' && line.step === 5)).toMatchObject({ text: ' me 5' })
  })

  it('is quiet about what is switched off', async () => {
    using model = tinyModel(device)
    const { records } = await recordRun({
      model,
      options: { steps: 2, evalEvery: 0, headsEvery: 0, sampleEvery: 0 },
      sample: async () => ({ prompt: 'Call', text: ' me' }),
    })
    expect(records.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      'eval 0',
      'step 1',
      'step 2',
      'eval 2',
      'end 2',
    ])
  })

  it.for<[string, ModelOptions]>([
    ['the default', {}],
    ['the paper', { preset: 'paper' }],
    ['the dot', { attention: 'dot' }],
  ])('of %s model starts within 2 %% of ln V', async ([, options]) => {
    using model = tinyModel(device, options)
    const { records, steps } = await recordRun({ model, options: { steps: 1 } })
    expect(evalsOf(records)[0].step).toBe(0)
    for (const loss of [steps[0].loss, evalsOf(records)[0].valLoss])
      expect(Math.abs(loss / Math.log(tiny.vocabSize) - 1)).toBeLessThan(0.02)
  })

  it.for<[string, ModelOptions]>([
    ['default', {}],
    ['paper', { preset: 'paper' }],
    ['dot', { attention: 'dot' }],
  ])('of a %s model overfits one batch to a loss below 0.05', async ([, options]) => {
    using model = tinyModel(device, options)
    const window = tinyData().train.slice(0, tiny.seqLen + 1)
    const { steps, result } = await recordRun({
      model,
      data: { train: window, val: window, bytesPerToken: 1 },
      options: {
        steps: 150,
        batchSize: 1,
        lr: 1e-2,
        minLr: 1e-3,
        warmup: 5,
        weightDecay: 0,
        evalEvery: 0,
        headsEvery: 0,
      },
    })
    expect(steps[0].loss).toBeGreaterThan(5)
    expect(steps[149].loss).toBeLessThan(0.05)
    expect(result.valLoss).toBeLessThan(0.05)
  })

  it('learns: the held-out loss falls well below that of guessing', async () => {
    using model = tinyModel(device)
    const { result } = await recordRun({
      model,
      options: { steps: 150, batchSize: 5, headsEvery: 0, evalEvery: 0 },
    })
    // The loss of a model that predicts each token by its frequency in the training text.
    const { train: ids, val } = tinyData()
    const counts = new Float64Array(tiny.vocabSize).fill(1)
    for (const id of ids) counts[id]++
    const total = counts.reduce((sum, count) => sum + count, 0)
    const unigram = val.reduce((sum, id) => sum - Math.log(counts[id] / total), 0) / val.length
    expect(result.valLoss).toBeLessThan(unigram - 0.3)
  })

  it('adds up micro-batches to the gradient of the whole batch', async () => {
    const ids = tinyData().train.slice(0, tiny.seqLen + 1) // one window, so all batches are equal
    const data = { train: ids, val: ids, bytesPerToken: 1 }
    using one = tinyModel(device)
    using three = tinyModel(device)
    const whole = await recordRun({ model: one, data, options: { accumulate: 1 } })
    const parts = await recordRun({ model: three, data, options: { accumulate: 3, batchSize: 1 } })
    for (const [i, { loss, gradNorm }] of whole.steps.entries())
      expectNear([parts.steps[i].loss, parts.steps[i].gradNorm], [loss, gradNorm], { rtol: 1e-5 })
    expect(parts.steps.map(({ tokens }) => tokens)).toEqual(whole.steps.map(({ tokens }) => tokens))
  })

  it('is the loop that can be written by hand: batch step · m + k for the k-th of m micro-batches', async () => {
    using model = tinyModel(device)
    await recordRun({ model, options: { steps: 4, accumulate: 3, seed: 11 } })
    using same = tinyModel(device)
    using optimizer = modelOptimizer(same, tinyOptions)
    const batches = new TokenBatches({ ids: tinyData().train, seqLen: tiny.seqLen, batchSize: 3, seed: 11 })
    for (let step = 0; step < 4; step++) {
      const micro = [0, 1, 2].map((k) => batches.batch(3 * step + k))
      const lr = learningRate(step, { peak: 3e-3, floor: 3e-4, warmup: 2, total: 4 })
      const { loss, norm, grads } = trainStep(same, optimizer, micro, 3, lr)
      for (const tensor of [loss, norm, ...grads]) tensor.dispose()
    }
    expect(await readAll(same.parameters)).toEqual(await readAll(model.parameters))
  })

  it('calibrates an adaptive τ every so many steps, each layer for itself', async () => {
    using model = tinyModel(device, { tauMode: 'adaptive', tau: 123 })
    const taus: string[] = []
    await recordRun({
      model,
      options: { steps: 5, calibrateEvery: 2, headsEvery: 0 },
      onRecord: ({ kind }) => {
        if (kind === 'step') taus.push(tausOf(model).join())
      },
    })
    expect(taus[1]).toBe(taus[0])
    expect(taus[3]).toBe(taus[2])
    expect(new Set(taus).size).toBe(3)
    expect(new Set(taus[0].split(',')).size).toBe(tiny.nLayer)
    expect(taus[0]).not.toContain('123')
  })
})
