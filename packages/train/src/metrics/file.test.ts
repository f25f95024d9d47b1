import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MetricsFile, readMetrics } from './file.ts'
import type { MetricsRecord } from './records.ts'

let directory = ''
let path = ''
let metrics: MetricsFile
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-metrics-'))
  path = join(directory, 'metrics.jsonl')
  metrics = new MetricsFile(path)
})
afterEach(() => rm(directory, { recursive: true }))

const stepRecord = (step: number): MetricsRecord => ({
  kind: 'step',
  step,
  loss: 7.600_902_459_542_082 / step,
  lr: 1e-3,
  gradNorm: 0.1 + 0.2,
  tokens: 64 * step,
  tokensPerSec: 1234.5,
  stepMs: 17,
})
const evalRecord = (step: number): MetricsRecord => ({
  kind: 'eval',
  step,
  valLoss: 2.5,
  valBpb: 1.1,
  tokens: 101,
})
const sampleRecord = (step: number): MetricsRecord => ({
  kind: 'sample',
  step,
  prompt: 'Ähab\n',
  text: 'a "whale"\u2028 🐋',
})
const endRecord = (step: number): MetricsRecord => ({
  kind: 'end',
  time: '2026-01-02T03:04:05.678Z',
  step,
  reason: 'interrupted',
  seconds: 3,
})

async function appendAll(records: readonly MetricsRecord[]): Promise<void> {
  for (const record of records) await metrics.append(record)
}

describe('MetricsFile', () => {
  it('keeps records as they were, one a line, in order', async () => {
    const records = [evalRecord(0), stepRecord(1), sampleRecord(1), stepRecord(2), endRecord(2)]
    await appendAll(records)
    expect(await readMetrics(path)).toEqual(records)
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(records.length + 1)
  })

  it('can be read after every record', async () => {
    for (let step = 1; step <= 3; step++) {
      await metrics.append(stepRecord(step))
      expect((await readMetrics(path)).map((record) => record.step)).toEqual([1, 2, 3].slice(0, step))
    }
  })
})

describe('readMetrics', () => {
  it('leaves out a last line at every place where it can be cut off', async () => {
    await appendAll([stepRecord(1), sampleRecord(2)])
    const bytes = await readFile(path)
    const firstLine = bytes.indexOf('\n') + 1
    for (let length = 0; length <= bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length))
      const count = length === bytes.length ? 2 : length >= firstLine ? 1 : 0
      expect(await readMetrics(path)).toEqual([stepRecord(1), sampleRecord(2)].slice(0, count))
    }
  })

  it.for([
    ['is cut off', '{"kind":"step","st'],
    ['is empty', ''],
    ['is no object', '17'],
    ['is null', 'null'],
    ['has no kind', '{"step":3}'],
    ['has a kind that is none', '{"kind":"steps","step":3}'],
    ['has no step', '{"kind":"step"}'],
    ['has a step that is no number', '{"kind":"step","step":"3"}'],
  ])('names the line that %s', async ([, line]) => {
    await metrics.append(stepRecord(1))
    await appendFile(path, `${line}\n`)
    await metrics.append(stepRecord(2))
    await expect(readMetrics(path)).rejects.toThrow(
      `metrics: line 2 of ${path} must be a record, got ${line}; remove the line`,
    )
  })

  it('says which file is missing', async () => {
    await expect(readMetrics(path)).rejects.toThrow(
      /^metrics: .*metrics\.jsonl must be readable, got ENOENT.*check the path/,
    )
    await expect(readMetrics(directory)).rejects.toThrow(
      `metrics: ${directory} must be a file, got a directory`,
    )
  })
})

describe('rewindTo', () => {
  const records = [evalRecord(0), stepRecord(1), stepRecord(2), evalRecord(2), stepRecord(3), endRecord(2)]

  it.for([
    [3, [0, 1, 2, 3, 4, 5]],
    [2, [0, 1, 2, 3, 5]],
    [1, [0, 1]],
    [0, [0]],
    [-1, []],
  ] as const)('%i keeps what came until then, the end of the run too', async ([step, kept]) => {
    await appendAll(records)
    await metrics.rewindTo(step)
    expect(await readMetrics(path)).toEqual(kept.map((i) => records[i]))
    expect(await readdir(directory)).toEqual(['metrics.jsonl'])
  })

  it('makes room after a line that was cut off', async () => {
    await appendAll([stepRecord(1), stepRecord(2)])
    await appendFile(path, '{"kind":"step","step":3,"lo')
    await metrics.rewindTo(2)
    await metrics.append(stepRecord(3))
    expect(await readMetrics(path)).toEqual([1, 2, 3].map(stepRecord))
  })

  it('starts a file where there is none', async () => {
    await metrics.rewindTo(5)
    expect(await readMetrics(path)).toEqual([])
  })

  it('does not touch a damaged file', async () => {
    await writeFile(path, 'no metrics\n')
    await expect(metrics.rewindTo(5)).rejects.toThrow('metrics: line 1 of')
    expect(await readFile(path, 'utf8')).toBe('no metrics\n')
  })
})
