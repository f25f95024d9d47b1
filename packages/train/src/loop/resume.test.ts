import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ModelOptions } from '@tau/model'
import { cpu, type Device } from '@tau/tensor'
import { decodeSafetensors, type NamedArray, readFileBytes, type Store } from '@tau/tensor/files'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { latestCheckpoint } from '../checkpoint/checkpoint.ts'
import { MetricsFile, readMetrics } from '../metrics/file.ts'
import type { MetricsRecord } from '../metrics/records.ts'
import { canRunSources, readAll, recordRun, stepsOf, tinyModel } from '../testing.ts'
import type { TrainOptions } from './options.ts'
import { resumeFrom } from './train.ts'

let device: Device
let directory = ''
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-resume-'))
})
afterEach(() => rm(directory, { recursive: true }))

const lossesOf = (records: readonly MetricsRecord[]): [number, number, number][] =>
  stepsOf(records).map(({ step, loss, gradNorm }) => [step, loss, gradNorm])

/** The optimizer's moments in a checkpoint. */
async function momentsOf(checkpoint: Store | undefined): Promise<ReadonlyMap<string, NamedArray>> {
  if (checkpoint === undefined) throw new Error('the run must have saved a checkpoint, got none')
  return decodeSafetensors(await readFileBytes({ store: checkpoint, name: 'optimizer.safetensors' })).tensors
}

describe('reproducibility', () => {
  it('1 thread and 2 threads give the same bits over 10 steps', async () => {
    // Logits (8·31·997) and embeddings (997·40) are large enough for several tiles.
    const wide = { vocabSize: 997, seqLen: 31, nLayer: 1, nEmbd: 40, nHead: 4 }
    const runs = []
    for (const threads of [1, 2]) {
      const pool = await cpu({ threads })
      expect(pool.info.threads).toBe(threads)
      const model = tinyModel(pool, wide)
      const { records } = await recordRun({
        model,
        options: { steps: 10, batchSize: 8, evalEvery: 0, headsEvery: 5 },
      })
      const timeless = records.map((line) =>
        line.kind === 'step' ? [line.loss, line.gradNorm] : line.kind === 'heads' ? line.layers : line.kind,
      )
      runs.push([timeless, await readAll(model.parameters)])
      await pool.close()
    }
    expect(runs[1]).toEqual(runs[0])
  })

  it.for<[string, Partial<TrainOptions>, ModelOptions]>([
    ['a plain run', {}, {}],
    ['with accumulation', { accumulate: 2 }, {}],
    [
      'with adaptive τ between calibrations',
      { calibrateEvery: 2 },
      { tauMode: 'adaptive', tauPolicy: 'percentile:0.3' },
    ],
    ['of a dot model', {}, { attention: 'dot', decay: 'constant' }],
    ['with Muon', { optimizer: { name: 'muon' } }, {}],
    ['with Sgd', { optimizer: { name: 'sgd', nesterov: true }, lr: 0.1 }, {}],
  ])('interrupted and resumed equals uninterrupted bit for bit: %s', async ([, options, modelOptions]) => {
    using model = tinyModel(device, modelOptions)
    const whole = await recordRun({
      model,
      options: { ...options, steps: 8 },
      checkpoints: join(directory, 'whole'),
    })

    const checkpoints = join(directory, 'parts')
    const path = join(directory, 'metrics.jsonl')
    const metrics = new MetricsFile(path)
    const records: MetricsRecord[] = []
    const results = []
    for (const stopAt of [3, 5, undefined]) {
      const resume = await resumeFrom(device, checkpoints)
      using current = resume?.model ?? tinyModel(device, modelOptions)
      const abort = new AbortController()
      await metrics.rewindTo(resume?.state.step ?? -1)
      const part = await recordRun({
        model: current,
        resume,
        checkpoints,
        options: { ...options, steps: 8 },
        signal: abort.signal,
        onRecord: async (line) => {
          await metrics.append(line)
          if (line.kind === 'step' && line.step === stopAt) abort.abort()
        },
      })
      records.push(...part.steps)
      results.push(part.result)
      if (stopAt === undefined)
        expect(await readAll(current.parameters)).toEqual(await readAll(model.parameters))
    }
    expect(results.map(({ step, reason }) => [step, reason])).toEqual([
      [3, 'interrupted'],
      [5, 'interrupted'],
      [8, 'finished'],
    ])
    expect(results[2].valLoss).toBe(whole.result.valLoss)
    expect(lossesOf(records)).toEqual(lossesOf(whole.records))
    expect(lossesOf(await readMetrics(path))).toEqual(lossesOf(whole.records))
    expect(await momentsOf(results[2].checkpoint)).toEqual(await momentsOf(whole.result.checkpoint))
  })
})

describe('a run that is cut off', () => {
  const options = { steps: 40, checkpointEvery: 1, evalEvery: 0, headsEvery: 0 }

  it.skipIf(!canRunSources)(
    'by SIGKILL goes on from its last checkpoint as if nothing had been',
    async () => {
      const checkpoints = join(directory, 'checkpoints')
      const path = join(directory, 'metrics.jsonl')
      const metrics = new MetricsFile(path)
      // The child prints each finished step. It is killed after the 11th step, most likely while it saves a
      // checkpoint. From step 30 on it only waits to be killed.
      const script = `
      import { cpu } from '@tau/tensor'
      import { MetricsFile } from ${JSON.stringify(new URL('../metrics/file.ts', import.meta.url))}
      import { recordRun, tinyModel } from ${JSON.stringify(new URL('../testing.ts', import.meta.url))}
      const [checkpoints, path] = process.argv.slice(1)
      const metrics = new MetricsFile(path)
      await recordRun({
        model: tinyModel(await cpu({ threads: 1 })),
        checkpoints,
        options: ${JSON.stringify(options)},
        onRecord: async (line) => {
          await metrics.append(line)
          if (line.kind === 'step') console.log(line.step)
          if (line.step === 30) await new Promise((resolve) => setTimeout(resolve, 1e6))
        },
      })`
      const node = ['--no-warnings', '--conditions=source', '--input-type=module', '-e', script]
      const child = spawn(process.execPath, [...node, checkpoints, path], {
        cwd: new URL('.', import.meta.url),
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(child, 'exit')
      for await (const line of createInterface(child.stdout)) if (line === '11') child.kill('SIGKILL')
      expect(await ended).toEqual([null, 'SIGKILL'])

      const resume = await resumeFrom(device, checkpoints)
      const step = resume?.state.step ?? 0
      expect(step).toBeGreaterThanOrEqual(10)
      using resumed = resume?.model ?? tinyModel(device)
      await metrics.rewindTo(step)
      await recordRun({
        model: resumed,
        resume,
        checkpoints,
        options,
        onRecord: (line) => metrics.append(line),
      })
      using model = tinyModel(device)
      const whole = await recordRun({ model, options })
      expect(lossesOf(await readMetrics(path))).toEqual(lossesOf(whole.records))
      expect(await readAll(resumed.parameters)).toEqual(await readAll(model.parameters))
      expect((await readdir(checkpoints)).sort()).toEqual(['latest.json', 'step-40'])
    },
  )

  it('by a signal saves at once and says so', async () => {
    using model = tinyModel(device)
    const abort = new AbortController()
    const { records, result } = await recordRun({
      model,
      checkpoints: directory,
      options: { steps: 20, evalEvery: 5 },
      signal: abort.signal,
      onRecord: ({ kind, step }) => {
        if (kind === 'step' && step === 4) abort.abort()
      },
    })
    expect(records.at(-1)).toMatchObject({ kind: 'end', step: 4, reason: 'interrupted' })
    expect(result).toMatchObject({
      ...{ step: 4, reason: 'interrupted', checkpoint: { path: join(directory, 'step-4') } },
    })
    expect((await latestCheckpoint(directory))?.path).toBe(result.checkpoint?.path)
  })

  it('by a signal at a step that was evaluated and saved does neither again', async () => {
    using model = tinyModel(device)
    const abort = new AbortController()
    const { records, result } = await recordRun({
      model,
      checkpoints: directory,
      options: { steps: 20, evalEvery: 2, headsEvery: 0, checkpointEvery: 2 },
      signal: abort.signal,
      onRecord: ({ kind, step }) => {
        if (kind === 'eval' && step === 2) abort.abort()
      },
    })
    expect(records.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      ...['eval 0', 'step 1', 'step 2', 'eval 2', 'end 2'],
    ])
    expect(result.checkpoint?.path).toBe(join(directory, 'step-2'))
  })

  it('before its first step saves where it starts', async () => {
    using model = tinyModel(device)
    const { steps, result } = await recordRun({ model, checkpoints: directory, signal: AbortSignal.abort() })
    expect(steps).toEqual([])
    expect(result).toMatchObject({
      step: 0,
      reason: 'interrupted',
      checkpoint: { path: join(directory, 'step-0') },
    })
    const resume = await resumeFrom(device, directory)
    using resumed = resume?.model ?? model
    expect(await readAll(resumed.parameters)).toEqual(await readAll(model.parameters))
  })
})

describe('resuming', () => {
  async function checkpointed() {
    using model = tinyModel(device)
    await recordRun({ model, checkpoints: directory, options: { steps: 3, seed: 7 } })
    const resume = await resumeFrom(device, directory)
    if (!resume) throw new Error('there must be a checkpoint')
    return resume
  }

  it('has nothing to resume at first', async () => {
    expect(await resumeFrom(device, join(directory, 'none'))).toBeUndefined()
  })

  it('a finished run evaluates it again and changes nothing', async () => {
    const resume = await checkpointed()
    using model = resume.model
    const before = await readAll(model.parameters)
    const { steps, result } = await recordRun({
      model,
      resume,
      checkpoints: directory,
      options: { steps: 3, seed: 7 },
    })
    expect(steps).toEqual([])
    expect(result).toMatchObject({ step: 3, reason: 'finished' })
    expect(await readAll(model.parameters)).toEqual(before)
    expect((await latestCheckpoint(directory))?.path).toBe(result.checkpoint?.path)
  })

  it('can make a run longer', async () => {
    const resume = await checkpointed()
    using model = resume.model
    const { steps } = await recordRun({ model, resume, options: { steps: 5, seed: 7 } })
    expect(steps.map(({ step, tokens }) => [step, tokens])).toEqual([
      [4, 156],
      [5, 195],
    ])
  })

  it('refuses another seed, and another model', async () => {
    const resume = await checkpointed()
    using model = resume.model
    await expect(recordRun({ model, resume })).rejects.toThrow(
      'train: seed must be 7, the seed of the resumed run, got 1; pass that seed, because the order of the data depends on it',
    )
    using other = tinyModel(device)
    await expect(recordRun({ model: other, resume, options: { seed: 7 } })).rejects.toThrow(
      'train: model must be the model of the resume point, got another; pass resume.model',
    )
  })
})
