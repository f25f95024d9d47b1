import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TINY, tau, workFolder } from '../testing.ts'

let folder: string
let text: string
const path = (name: string) => join(folder, name)
beforeAll(async () => {
  ;({ folder, text } = await workFolder())
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Schema of the two kinds of events that we write, by the Trace Event Format. */
const track = { pid: z.int(), tid: z.int(), name: z.string().min(1) }
const traceSchema = z.strictObject({
  traceEvents: z.array(
    z.discriminatedUnion('ph', [
      z.strictObject({ ph: z.literal('M'), ...track, args: z.strictObject({ name: z.string() }) }),
      z.strictObject({
        ph: z.literal('X'),
        ...track,
        cat: z.enum(['span', 'kernel']),
        ts: z.number().min(0),
        dur: z.number().min(0),
        args: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      }),
    ]),
  ),
  displayTimeUnit: z.literal('ms'),
  metadata: z.looseObject({ device: z.looseObject({ backend: z.literal('cpu') }) }),
})

const readTrace = (file: string) => traceSchema.parse(JSON.parse(readFileSync(file, 'utf8')))

/** Cells of the table by the name of their row. Empty cells are left out. */
function rowsOf(table: string): Map<string, string[]> {
  const rows = table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))
  return new Map(rows.map(([name, ...cells]) => [name, cells]))
}

describe('tau train --profile', () => {
  it('prints kernels that add up to the step, writes a trace, and no run', async () => {
    const out = path('runs/none')
    const file = path('trace.json')
    const { code, stdout, stderr } = await tau([
      ...['train', '--profile', file, '--data', text, '--out', out],
      ...TINY,
    ])
    expect([code, stderr]).toEqual([0, expect.stringContaining(`trace: ${file}`)])
    expect(existsSync(out)).toBe(false)
    const { traceEvents } = readTrace(file)
    const kernels = traceEvents.filter((event) => event.ph === 'X' && event.cat === 'kernel')
    const spans = traceEvents.filter((event) => event.ph === 'X' && event.cat === 'span')
    expect(spans.map(({ name }) => name)).toEqual(['data', 'forward', 'backward', 'optimizer'])

    const rows = rowsOf(stdout)
    expect(rows.get('kernel')).toEqual([
      ...['build', 'calls', 'ms', 'share', 'GFLOPS', 'GB/s', 'forward', 'backward', 'optimizer'],
    ])
    const names = new Set(kernels.map(({ name }) => name))
    for (const name of ['matmul', 'rmsNorm', 'adamw', 'lambdaAttention', 'rotaryTaumodeGrad'])
      expect(names, name).toContain(name)
    const [calls, stepMs, all] = rows.get('step') ?? []
    expect([Number(calls), all]).toEqual([kernels.length, '100.0 %'])
    const [outsideMs] = rows.get('outside kernels') ?? []
    const kernelMs = kernels.reduce((sum, event) => sum + ('dur' in event ? event.dur : 0), 0) / 1000
    expect(kernelMs + Number(outsideMs)).toBeCloseTo(Number(stepMs), 1)
    for (const name of names) expect(rows.has(name), name).toBe(true)
  })

  it('needs no text: tokens are random, and the trace lies where the command was typed', async () => {
    const before = process.env.TAU_CWD
    process.env.TAU_CWD = folder
    try {
      const { code, stdout, stderr } = await tau(['train', '--profile', ...TINY, '--attention', 'dot'])
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining('tokens: random, because no --data is given'),
      ])
      expect(rowsOf(stdout).has('dotAttention')).toBe(true)
      readTrace(path('runs/profile.json'))
    } finally {
      if (before === undefined) delete process.env.TAU_CWD
      else process.env.TAU_CWD = before
    }
  })

  it('leaves the run that it resumes as it is', async () => {
    const out = path('runs/whole')
    expect((await tau(['train', '--data', text, '--out', out, '--steps', '2', ...TINY])).code).toBe(0)
    const files = () =>
      readdirSync(out, { recursive: true, encoding: 'utf8' })
        .sort()
        .map((name) => [name, statSync(join(out, name)).mtimeMs])
    const before = files()
    const { code, stderr } = await tau(['train', '--resume', '--out', out, '--profile', path('again.json')])
    expect([code, stderr]).toEqual([0, expect.stringContaining('tokenizer: 307 tokens, read')])
    expect(files()).toEqual(before)
    readTrace(path('again.json'))
  })

  it('is for the cpu backend', async () => {
    const { code, stderr } = await tau(['train', '--profile', '--backend', 'gpu', ...TINY])
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(
        'profile: device.backend must be cpu, because only its kernels can be timed one by one, got gpu',
      ),
    ])
  })

  it('says in the help how many steps it takes, and what it writes', async () => {
    const { stdout } = await tau(['train', '--help'])
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /--profile \[file\] do not train, but .*Runs 3 steps and takes the one with the median time, after 3 warm-up steps\. Does not change --out or the model/,
    )
  })
})
