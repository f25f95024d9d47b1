import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeSafetensors, encodeSafetensors } from '@tau/tensor/files'
import { readMetrics } from '@tau/train'
import { expect, it } from 'vitest'
import { tau } from './testing.ts'

/** Results of commit 8003ff3 for a run: see the README beside the runs. */
interface Expected {
  readonly steps: readonly { readonly step: number }[]
  readonly evals: readonly { readonly step: number }[]
  readonly samples: readonly { readonly step: number }[]
  readonly evaluated: object
  readonly generated: string
  readonly modelSha256: string
}

const runs = fileURLToPath(new URL('../fixtures/runs-8003ff3', import.meta.url))
const text = join(runs, 'text.txt')
/** The plain build gives the same bits on every machine. */
const DEVICE = ['--simd', 'plain', '--threads', '1']

const folderOf = (name: string): { folder: string; expected: Expected } => {
  const folder = join(mkdtempSync(join(tmpdir(), 'tau-kept-')), name)
  cpSync(join(runs, name), folder, { recursive: true })
  return { folder, expected: JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) }
}

it.for(['default', 'paper', 'dot'])(
  'evaluates, continues a text and reports a %s run of 8003ff3',
  async (name) => {
    const { folder, expected } = folderOf(name)
    const evaluated = await tau(['eval', folder, '--data', text, '--json', ...DEVICE])
    expect([evaluated.code, JSON.parse(evaluated.stdout)]).toEqual([0, expected.evaluated])
    const generated = await tau(['generate', folder, 'Call me', '--tokens', '9', '--seed', '3', ...DEVICE])
    expect([generated.code, generated.stdout]).toEqual([0, expected.generated])
    const report = await tau(['report', folder])
    expect([report.code, readFileSync(join(folder, 'report.html'), 'utf8').length > 10_000]).toEqual([
      0,
      true,
    ])
  },
)

it.for(['default', 'paper', 'dot'])('resumes a %s run of 8003ff3 to the same bits', async (name) => {
  const { folder, expected } = folderOf(name)
  const { code, stderr } = await tau(['train', '--resume', '--out', folder, '--data', text, ...DEVICE])
  expect([code, stderr]).toEqual([0, expect.stringContaining('resuming at step 2 of 6')])
  const records = await readMetrics(join(folder, 'metrics.jsonl'))
  // A resumed run evaluates again at its first step. So compare only records after the interruption.
  for (const [kind, all] of [
    ['step', expected.steps],
    ['eval', expected.evals],
    ['sample', expected.samples],
  ] as const) {
    const wanted = all.filter(({ step }) => step > 2)
    const found = records.filter((record) => record.kind === kind && record.step > 2)
    expect(found.length, kind).toBe(wanted.length)
    for (const [i, values] of wanted.entries()) expect(found[i], `${kind} ${i}`).toMatchObject(values)
  }
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(folder, 'model.safetensors')))
  // Files of 8003ff3 stored a τ for every layer, even for dot products.
  const ofThen = encodeSafetensors(tensors, { format: 'tau', tau: '[1]', ...metadata })
  expect(createHash('sha256').update(ofThen).digest('hex')).toBe(expected.modelSha256)
})
