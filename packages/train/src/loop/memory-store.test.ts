import { loadModel, saveModel } from '@tau/model'
import { cpu } from '@tau/tensor'
import { memoryStore } from '@tau/tensor/files'
import { expect, it } from 'vitest'
import { readShards, writeShards } from '../data/shards.ts'
import { readTextFiles } from '../data/text.ts'
import { MetricsFile, readMetrics } from '../metrics/file.ts'
import { readAll, recordRun, tinyModel } from '../testing.ts'
import { loadTokenizer, saveTokenizer } from '../tokenizer/file.ts'
import { trainTokenizer } from '../tokenizer/train.ts'
import { resumeFrom } from './train.ts'

it('a run keeps everything in a store of memory, and goes on from it to the same bits', async () => {
  const device = await cpu({ threads: 1 })
  const store = memoryStore()
  const checkpoints = store.folder('checkpoints')
  const metrics = new MetricsFile({ store, name: 'metrics.jsonl' })
  using whole = tinyModel(device)
  await recordRun({ model: whole })
  const stop = new AbortController()
  using model = tinyModel(device)
  const first = await recordRun({
    model,
    checkpoints,
    signal: stop.signal,
    onRecord: async (line) => {
      await metrics.append(line)
      if (line.kind === 'step' && line.step === 4) stop.abort()
    },
  })
  expect(first.result.checkpoint?.path).toBe('memory/checkpoints/step-4')
  const resume = (await resumeFrom(device, checkpoints))!
  await metrics.rewindTo(resume.state.step)
  using resumed = resume.model
  await recordRun({
    ...{ model: resumed, resume, checkpoints },
    onRecord: (line) => metrics.append(line),
  })
  expect(await readAll(resumed.parameters)).toEqual(await readAll(whole.parameters))
  const steps = (await readMetrics({ store, name: 'metrics.jsonl' })).filter(({ kind }) => kind === 'step')
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6])
  expect(await checkpoints.list()).toEqual(['latest.json', 'step-6'])

  await saveModel(resumed, store)
  using loaded = await loadModel(device, store)
  expect(await readAll(loaded.parameters)).toEqual(await readAll(whole.parameters))
  expect(loaded.laplacian?.csr).toEqual(whole.laplacian?.csr)
  await device.close()
})

it('texts, tokenizers and prepared tokens are files of a store, too', async () => {
  const store = memoryStore()
  await store.write([{ name: 'text.txt', content: 'the whale and the sea and the ship' }])
  const [{ path, text }] = await readTextFiles([{ store, name: 'text.txt' }])
  expect(path).toBe('memory/text.txt')
  const tokenizer = trainTokenizer(text, { vocabSize: 270 })
  await saveTokenizer(tokenizer, { store, name: 'tokenizer.json' })
  const ids = (await loadTokenizer({ store, name: 'tokenizer.json' })).encode(text)
  expect(ids).toEqual(tokenizer.encode(text))
  const prepared = store.folder('prepared')
  const split = { train: ids, val: ids.slice(0, 2), vocabSize: tokenizer.vocabSize }
  await writeShards(prepared, { ...split, shardTokens: 5 })
  expect(await readShards(prepared, tokenizer.vocabSize)).toEqual({ train: split.train, val: split.val })
})
