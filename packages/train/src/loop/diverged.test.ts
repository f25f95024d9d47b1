import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GPT } from '@tau/model'
import { cpu, type Device } from '@tau/tensor'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { latestCheckpoint } from '../checkpoint/checkpoint.ts'
import { TokenBatches } from '../data/batches.ts'
import type { MetricsRecord } from '../metrics/records.ts'
import { readAll, recordRun, tiny, tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { DivergedError, findNonFinite } from './diverged.ts'
import { resumeFrom } from './train.ts'

let device: Device
let directory = ''
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-diverged-'))
})
afterEach(() => rm(directory, { recursive: true }))

/** Sets one element of a parameter. */
async function plant(model: GPT, name: string, value: number, at = 0): Promise<void> {
  const tensor = model.parameters.get(name)
  if (!tensor) throw new Error(`the model must have ${name}`)
  const values = await tensor.data()
  values[at] = value
  tensor.write(values)
}

/** Returns the error that a run must end with. */
async function divergence(run: Promise<unknown>): Promise<DivergedError> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof DivergedError) return error
  throw error ?? new Error('the run must diverge')
}

const { train: ids } = tinyData()
const firstToken = new TokenBatches({
  ids,
  seqLen: tiny.seqLen,
  batchSize: tinyOptions.batchSize,
  seed: tinyOptions.seed,
}).batch(0).tokens[0]

describe('a run whose numbers are not finite', () => {
  it('stops at once for NaN in any parameter, names it, and leaves all parameters as they were', async () => {
    const names = Array.from(tinyModel(device).parameters.keys())
    expect(names.length).toBeGreaterThan(20)
    const liveBuffers = device.memory.liveBuffers
    for (const name of names) {
      using model = tinyModel(device)
      await plant(model, name, Number.NaN, name === 'wte.weight' ? firstToken * tiny.nEmbd : 0)
      const before = await readAll(model.parameters)
      const error = await divergence(recordRun({ model, options: { evalEvery: 0, headsEvery: 0 } }))
      expect(error.message).toMatch(/^train: step [01] must have a finite loss and gradient, got .*NaN/)
      expect(error.message).toContain(`(parameter ${name} holds NaN)`)
      expect(error.message).toContain('no checkpoint was saved yet: start again with a lower lr or gradClip')
      expect(error.lastCheckpoint).toBeUndefined()
      expect(await readAll(model.parameters)).toEqual(before)
    }
    expect(device.memory.liveBuffers).toBe(liveBuffers)
  })

  it('names the step and the last good checkpoint, from which it can go on', async () => {
    using model = tinyModel(device)
    const records: MetricsRecord[] = []
    let before: unknown
    const error = await divergence(
      recordRun({
        model,
        checkpoints: directory,
        options: { steps: 9, checkpointEvery: 2, evalEvery: 0, headsEvery: 0 },
        onRecord: async (line) => {
          records.push(line)
          // After the checkpoint of step 4 and the update of step 5.
          if (line.kind !== 'step' || line.step !== 5) return
          await plant(model, 'blocks.1.mlp.c_fc.weight', Number.POSITIVE_INFINITY, 17)
          before = await readAll(model.parameters)
        },
      }),
    )
    const good = join(directory, 'step-4')
    expect(error).toMatchObject({ name: 'DivergedError', step: 6, lastCheckpoint: good })
    expect(error.message).toMatch(
      /^train: step 6 must have a finite loss and gradient, got loss \S+ and gradient norm \S+ \(parameter blocks\.1\.mlp\.c_fc\.weight holds Infinity\); /,
    )
    expect(error.message).toContain(`the last good checkpoint is ${good}: resume from it with a lower lr`)
    expect(await readAll(model.parameters)).toEqual(before)
    expect(records.at(-1)).toMatchObject({ kind: 'end', step: 5, reason: 'diverged' })
    const resume = await resumeFrom(device, directory)
    using resumed = resume?.model ?? model
    const { result } = await recordRun({ model: resumed, resume, options: { steps: 9 } })
    expect(result).toMatchObject({ step: 9, reason: 'finished' })
  })

  it('never becomes a checkpoint: one too large lr spoils the parameters, not what was saved', async () => {
    using first = tinyModel(device)
    await recordRun({ model: first, checkpoints: directory, options: { steps: 2, evalEvery: 0 } })
    const good = (await latestCheckpoint(directory))?.path
    const resume = await resumeFrom(device, directory)
    using model = resume?.model ?? first
    const options = { steps: 9, lr: 3e38, warmup: 0, checkpointEvery: 1, evalEvery: 0, headsEvery: 0 }
    const error = await divergence(recordRun({ model, resume, checkpoints: directory, options }))
    expect(error.step).toBe(3)
    expect(error.message).toMatch(/got parameter \S+ holds (NaN|-?Infinity); the last good checkpoint is /)
    expect(error.lastCheckpoint).toBe(good)
    expect((await latestCheckpoint(directory))?.path).toBe(good)
  })

  it('is found by an evaluation before it is written down', async () => {
    using model = tinyModel(device)
    const records: MetricsRecord[] = []
    const error = await divergence(
      recordRun({
        model,
        options: { steps: 9, evalEvery: 2, headsEvery: 0 },
        onRecord: async (line) => {
          records.push(line)
          if (line.kind === 'step' && line.step === 2) await plant(model, 'lm_head.weight', Number.NaN)
        },
      }),
    )
    expect(error.message).toContain('step 2 must have a finite loss and gradient, got validation loss NaN')
    expect(error.message).toContain('(parameter lm_head.weight holds NaN)')
    expect(records.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      ...['eval 0', 'step 1', 'step 2', 'end 2'],
    ])
  })

  it("does not take another run's checkpoint for its own", async () => {
    using other = tinyModel(device)
    await recordRun({ model: other, checkpoints: directory, options: { steps: 1 } })
    using model = tinyModel(device)
    await plant(model, 'lm_head.weight', Number.NaN)
    const error = await divergence(recordRun({ model, checkpoints: directory }))
    expect(error.lastCheckpoint).toBeUndefined()
  })
})

describe('findNonFinite', () => {
  it('names a gradient where the parameters are fine, and nothing where all is', async () => {
    using _scope = device.scope()
    using model = tinyModel(device)
    const grads = Array.from(model.parameters.values(), ({ shape, size }) =>
      device.tensor(new Float32Array(size).fill(3e38), shape),
    )
    expect(await findNonFinite(model, grads)).toBeUndefined()
    const names = Array.from(model.parameters.keys())
    grads[3] = device.tensor(new Float32Array(grads[3].size).fill(-Infinity, 5, 6), grads[3].shape)
    expect(await findNonFinite(model, grads)).toBe(`the gradient of ${names[3]} holds -Infinity`)
    await plant(model, names[7], Number.NaN, 1)
    expect(await findNonFinite(model, grads)).toBe(`parameter ${names[7]} holds NaN`)
  })
})
