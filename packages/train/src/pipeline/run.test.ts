import { readFileSync } from 'node:fs'
import { loadModel } from '@tau/model'
import { cpu, type Device } from '@tau/tensor'
import { memoryStore, readUtf8File, type Store } from '@tau/tensor/files'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readMetrics } from '../metrics/file.ts'
import type { MetricsRecord } from '../metrics/records.ts'
import { readAll, stepsOf } from '../testing.ts'
import { loadTokenizer } from '../tokenizer/file.ts'
import { prepareResume, prepareRun } from './prepare.ts'
import { trainRun, trainText } from './run.ts'
import { type RunOptions, runSettings } from './settings.ts'
import { readPrepared, writePrepared } from './text.ts'

const text = readFileSync(new URL('../tokenizer/fixtures/corpus.txt', import.meta.url), 'utf8')

/** A run of a second: head dim 10, windows of 13 tokens. */
const options = {
  data: { heldOut: 0.1 },
  tokenizer: { vocabSize: 293 },
  manifold: { width: 23, passageTokens: 16 },
  model: { seqLen: 13, nLayer: 2, nHead: 2, nEmbd: 20 },
  train: { steps: 5, batchSize: 3, warmup: 2, evalEvery: 3, evalTokens: 100, headsEvery: 0, sampleEvery: 3 },
  sample: { prompt: 'whale', tokens: 7 },
} as const satisfies RunOptions

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())

/** The text as a file of a store. */
async function stored(): Promise<{ store: Store; settings: ReturnType<typeof runSettings> }> {
  const store = memoryStore()
  await store.write([{ name: 'text.txt', content: text }])
  const files = [{ store, name: 'text.txt' }]
  return { store, settings: runSettings({ ...options, data: { ...options.data, files } }) }
}

describe('trainText', () => {
  it('leaves a folder that holds all of the run', async () => {
    const out = memoryStore('run')
    const seen: MetricsRecord[] = []
    const { model, tokenizer, result } = await trainText(device, text, {
      ...options,
      out,
      versions: { test: '1' },
      onRecord: (record) => void seen.push(record),
    })
    using trained = model
    expect(await out.list()).toEqual([
      ...['checkpoints', 'config.json', 'corpus.txt', 'manifold.json', 'manifold.parquet'],
      ...['metrics.jsonl', 'model.safetensors', 'run.yaml', 'tokenizer.json'],
    ])
    using loaded = await loadModel(device, out)
    expect(await readAll(loaded.parameters)).toEqual(await readAll(trained.parameters))
    const saved = await loadTokenizer({ store: out, name: 'tokenizer.json' })
    expect(saved.encode(text)).toEqual(tokenizer.encode(text))
    const records = await readMetrics({ store: out, name: 'metrics.jsonl' })
    expect(records).toEqual(seen)
    expect(records[0]).toMatchObject({ kind: 'run', step: 0, versions: { test: '1' } })
    expect(records.at(-1)).toMatchObject({ kind: 'end', reason: 'finished', step: 5 })
    expect(result.checkpoint?.path).toBe('run/checkpoints/step-5')
    const yaml = JSON.parse(await readUtf8File({ store: out, name: 'run.yaml' }, 'test', 1e6))
    expect(yaml.train).toMatchObject({ optimizer: 'adamw', gradClip: 1 })
    expect(yaml).toMatchObject({ ...options, data: { files: ['run/corpus.txt'], heldOut: 0.1 }, out: 'run' })
    await expect(trainText(device, text, { ...options, out })).rejects.toThrow(
      /^trainText: run must not hold a run already, got checkpoints, config\.json/,
    )
  })

  it('keeps nothing without a folder, and learns the same', async () => {
    const losses: number[][] = []
    for (const out of [undefined, memoryStore()]) {
      const records: MetricsRecord[] = []
      const { model } = await trainText(device, text, {
        ...options,
        out,
        onRecord: (record) => void records.push(record),
      })
      model[Symbol.dispose]()
      losses.push(stepsOf(records).map(({ loss }) => loss))
    }
    expect(losses[0]).toHaveLength(5)
    expect(losses[0]).toEqual(losses[1])
  })

  it('names the setting that is wrong', async () => {
    await expect(trainText(device, text, { train: { steps: 0.5 } })).rejects.toThrow(
      'train: steps must be a whole number of at least 1, got 0.5',
    )
  })
})

describe('a prepared run', () => {
  it('goes on where it was interrupted, to the same bits, and clears the run before it', async () => {
    const { store, settings } = await stored()
    const [whole, cut] = ['whole', 'cut'].map((name) => store.folder(name))
    const first = await trainRun(await prepareRun(device, settings), settings, { out: whole })
    using expected = first.model
    for (const _ of [1, 2]) {
      const stop = new AbortController()
      const part = await trainRun(await prepareRun(device, settings), settings, {
        out: cut,
        overwrite: true,
        signal: stop.signal,
        onRecord: (record) => void (record.kind === 'step' && record.step === 2 && stop.abort()),
      })
      part.model[Symbol.dispose]()
      expect(part.result).toMatchObject({ step: 2, reason: 'interrupted' })
    }
    let resumedAt = 0
    const again = await prepareResume(device, cut, settings, {
      resumed: ({ state }) => {
        resumedAt = state.step
      },
    })
    expect(resumedAt).toBe(2)
    using resumed = (await trainRun(again, settings, { out: cut })).model
    expect(await readAll(resumed.parameters)).toEqual(await readAll(expected.parameters))
    const lossesOf = async (folder: Store) =>
      stepsOf(await readMetrics({ store: folder, name: 'metrics.jsonl' })).map(({ step, loss }) => [
        step,
        loss,
      ])
    expect(await lossesOf(cut)).toEqual(await lossesOf(whole))
  })

  it('keeps an old run in the folder unless it may overwrite it', async () => {
    const { store, settings } = await stored()
    const out = store.folder('run')
    const run = await prepareRun(device, settings)
    const { model } = await trainRun(run, settings, { out })
    const before = await readMetrics({ store: out, name: 'metrics.jsonl' })
    await expect(trainRun(run, settings, { out })).rejects.toThrow(
      /^trainRun: memory\/run must not hold a run already, got .*metrics\.jsonl.*; choose another folder or set overwrite$/,
    )
    expect(await readMetrics({ store: out, name: 'metrics.jsonl' })).toEqual(before)
    await trainRun(run, settings, { out, overwrite: true })
    const after = await readMetrics({ store: out, name: 'metrics.jsonl' })
    expect(after.filter(({ kind }) => kind === 'run')).toHaveLength(1)
    model[Symbol.dispose]()
  })

  it('frees the model when a stage refuses the checkpoint', async () => {
    const { store, settings } = await stored()
    const out = store.folder('run')
    ;(await trainRun(await prepareRun(device, settings), settings, { out })).model[Symbol.dispose]()
    const { liveBuffers } = device.memory
    const refuse = () => {
      throw new Error('too large')
    }
    await expect(prepareResume(device, out, settings, { config: refuse })).rejects.toThrow('too large')
    expect(device.memory.liveBuffers).toBe(liveBuffers)
    await expect(prepareResume(device, store.folder('none'), settings)).rejects.toThrow(
      'resume: memory/none/checkpoints must hold a checkpoint, got none',
    )
  })

  it('of prepared tokens has the numbers of the text, and needs a manifold', async () => {
    const { store, settings } = await stored()
    const fromText = await prepareRun(device, settings)
    await writePrepared(store.folder('tokens'), fromText, 101)
    expect((await readPrepared(store.folder('tokens'))).data).toEqual(fromText.data)
    const shards = { ...settings, data: { files: [], heldOut: 0.1, shards: store.folder('tokens') } }
    await expect(prepareRun(device, shards)).rejects.toThrow(/a text is needed to build the manifold/)
    const dot = await prepareRun(device, { ...shards, model: { ...shards.model, attention: 'dot' } })
    expect(dot.data).toEqual(fromText.data)
    for (const { model } of [fromText, dot]) model[Symbol.dispose]()
  })
})
