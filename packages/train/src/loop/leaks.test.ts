import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelOptions } from '@tau/model'
import { cpu, type Device, gpu } from '@tau/tensor'
import { gpuModes } from '@tau/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TokenBatches } from '../data/batches.ts'
import { recordRun, tiny, tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { modelOptimizer } from './optimizer.ts'
import type { TrainOptions } from './options.ts'
import { trainStep } from './step.ts'
import { resumeFrom } from './train.ts'

let device: Device
let directory = ''
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-leaks-'))
})
afterEach(() => rm(directory, { recursive: true }))

describe('memory', () => {
  it.for<[string, Partial<TrainOptions>, ModelOptions]>([
    ['', {}, {}],
    [', with accumulation', { accumulate: 2 }, { attention: 'dot' }],
    [', with calibration', { calibrateEvery: 7 }, { tauMode: 'adaptive' }],
  ])('is at step 500 what it was at step 10%s', async ([, options, modelOptions]) => {
    const before = device.memory
    {
      using model = tinyModel(device, { ...modelOptions, nLayer: 1 })
      const seen: Device['memory'][] = []
      const { result } = await recordRun({
        model,
        options: { ...options, steps: 500, batchSize: 1, evalEvery: 5, headsEvery: 5, evalTokens: 20 },
        onRecord: ({ kind, step }) => {
          if (kind === 'heads' && (step === 10 || step === 500)) seen.push(device.memory)
        },
      })
      expect(result.step).toBe(500)
      expect(seen).toHaveLength(2)
      expect(seen[1]).toEqual(seen[0])
      // The parameters, and two moments of each.
      expect(seen[0].liveBuffers - before.liveBuffers).toBeGreaterThanOrEqual(3 * model.parameters.size)
    }
    expect(device.memory).toEqual(before)
  })

  it.runIf(gpuModes.includes('webgpu'))('of a GPU is at step 500 what it was at step 10', async () => {
    const other = await gpu({ mode: 'webgpu' })
    const { engine } = other
    const buffers = async () => (engine.backend === 'gpu' ? await engine.buffers() : undefined)
    {
      using model = tinyModel(other, { nLayer: 1 })
      const seen: unknown[] = []
      await recordRun({
        model,
        options: { steps: 500, batchSize: 1, evalEvery: 0, headsEvery: 0 },
        onRecord: async ({ kind, step }) => {
          if (kind === 'step' && (step === 10 || step === 500)) seen.push([other.memory, await buffers()])
        },
      })
      expect(seen).toHaveLength(2)
      expect(seen[1]).toEqual(seen[0])
    }
    expect(await buffers()).toMatchObject({ live: 0, liveBytes: 0 })
    await other.close()
  })

  it('is given back by the gpu backend too', async () => {
    const other = await gpu({ mode: 'cpu' })
    const before = [other.memory, liveSlots(other)]
    {
      using model = tinyModel(other)
      await recordRun({ model, options: { steps: 3, accumulate: 2 } })
    }
    expect([other.memory, liveSlots(other)]).toEqual(before)
    await other.close()
  })
})

const liveSlots = ({ engine }: Device): number => (engine.backend === 'gpu' ? engine.liveSlots : 0)

describe('a run that fails gives its memory back', () => {
  const cases: [string, (model: ReturnType<typeof tinyModel>) => Promise<unknown>, string | RegExp][] = [
    [
      'in onRecord',
      (model) =>
        recordRun({
          model,
          onRecord: ({ kind, step }) => {
            if (kind === 'step' && step === 2) throw new Error('no more room for metrics')
          },
        }),
      'no more room for metrics',
    ],
    [
      'in a sample',
      (model) =>
        recordRun({
          model,
          options: { sampleEvery: 2 },
          sample: async (step) => {
            if (step === 2) throw new Error('no sample')
            return { prompt: '', text: '' }
          },
        }),
      'no sample',
    ],
    [
      'while saving',
      async (model) => {
        await writeFile(join(directory, 'file'), '')
        return recordRun({
          model,
          checkpoints: join(directory, 'file', 'checkpoints'),
          options: { checkpointEvery: 2 },
        })
      },
      'ENOTDIR',
    ],
    [
      'for options out of range',
      (model) => recordRun({ model, options: { lr: -1 } }),
      'train: lr must be a finite number above 0, got -1',
    ],
    [
      'for moments out of range',
      (model) => recordRun({ model, options: { optimizer: { name: 'adamw', beta2: 1 } } }),
      'AdamW: beta2 must be at least 0 and below 1, got 1',
    ],
    [
      'for a text that is too short',
      (model) => recordRun({ model, data: { ...tinyData(), train: Int32Array.of(1, 2, 3) } }),
      'TokenBatches: the text must have at least 14 tokens (seqLen + 1), got 3',
    ],
    [
      'for a held-out text that is too short',
      (model) => recordRun({ model, data: { ...tinyData(), val: Int32Array.of(1) } }),
      'EvalBatches: the held-out text must have at least 2 tokens, got 1',
    ],
    [
      'for a number of bytes that is none',
      (model) => recordRun({ model, data: { ...tinyData(), bytesPerToken: 0 } }),
      'train: bytesPerToken must be a finite number above 0, got 0',
    ],
    [
      'for a token out of range',
      (model) => recordRun({ model, data: { ...tinyData(), train: tinyData().train.map((id) => id + 200) } }),
      /tokens: ids must be between 0 and 292, got \d+ at \d+/,
    ],
  ]
  it.for(cases)('%s', async ([, run, message]) => {
    const before = device.memory
    {
      using model = tinyModel(device)
      await recordRun({ model, options: { steps: 1 } }) // RoPE's angles stay with the model
      const { memory } = device
      await expect(run(model)).rejects.toThrow(message)
      expect(device.memory).toEqual(memory)
    }
    expect(device.memory).toEqual(before)
  })

  it('when the checkpoint is of another model', async () => {
    using small = tinyModel(device)
    await recordRun({ model: small, checkpoints: directory, options: { steps: 1 } })
    using large = tinyModel(device, { nLayer: 3 })
    const resume = await resumeFrom(device, directory)
    if (!resume) throw new Error('there must be a checkpoint')
    using _loaded = resume.model
    const { memory } = device
    // As with a damaged file: the moments have the shapes of the small model.
    await expect(recordRun({ model: large, resume: { ...resume, model: large } })).rejects.toThrow(
      'the checkpoint belongs to another model',
    )
    expect(device.memory).toEqual(memory)
  })

  it('in the second micro-batch of a step', () => {
    using model = tinyModel(device)
    using optimizer = modelOptimizer(model, tinyOptions)
    const batches = new TokenBatches({ ids: tinyData().train, seqLen: tiny.seqLen, batchSize: 2, seed: 1 })
    const bad = batches.batch(1)
    bad.targets[3] = tiny.vocabSize
    const { memory } = device
    expect(() => trainStep(model, optimizer, [batches.batch(0), bad], 2, 0.1)).toThrow(
      'targets: ids must be between 0 and 292, or -1 to skip, got 293 at 3',
    )
    expect(() => trainStep(model, optimizer, [], 2, 0.1)).toThrow('at least one batch is needed')
    expect(device.memory).toEqual(memory)
    expect(optimizer.steps).toBe(0)
  })
})

describe('trainStep', () => {
  it('belongs to no scope that is open', async () => {
    using model = tinyModel(device)
    using optimizer = modelOptimizer(model, tinyOptions)
    const batches = new TokenBatches({ ids: tinyData().train, seqLen: tiny.seqLen, batchSize: 2, seed: 1 })
    const step = () => {
      using _scope = device.scope()
      return trainStep(model, optimizer, [batches.batch(0)], 2, 0.1)
    }
    const { memory } = device
    const { loss, norm, grads } = step()
    expect(grads.map(({ shape }) => shape)).toEqual(
      Array.from(model.parameters.values(), ({ shape }) => shape),
    )
    expect(await loss.item()).toBeGreaterThan(5)
    expect(await norm.item()).toBeGreaterThan(0)
    for (const tensor of [loss, norm, ...grads]) tensor.dispose()
    expect(device.memory).toEqual(memory)
  })
})
