import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { gpuModes } from '@tau/testing'
import { readMetrics } from '@tau/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TINY, tau, workFolder } from './testing.ts'

let folder: string
let text: string
beforeAll(async () => {
  ;({ folder, text } = await workFolder())
})
afterAll(() => rmSync(folder, { recursive: true }))

const train = (out: string, ...flags: string[]): string[] => [
  ...['train', '--data', text, '--out', out, '--steps', '6', '--checkpoint-every', '2'],
  ...['--eval-every', '1', '--heads-every', '0', '--sample-every', '0'],
  ...TINY,
  ...flags,
]

/** Destroys the GPU device that all engines of the process share. */
async function loseDevice(): Promise<void> {
  const { default: module } = await import('gpu.js')
  await Reflect.get(module, 'WebGPUContext').destroy()
}

const WEBGPU = ['--backend', 'gpu', '--mode', 'webgpu']
/** Flags of a model with few kernels, because a new device compiles all of them again. A software driver
 *  needs seconds for the kernels of λ-distance attention, and for tiled products, which start at 8 rows and
 *  columns. Tests of @tau/train train such models. */
const FEW_KERNELS = [
  ...['--attention', 'dot', '--n-head', '1', '--n-embd', '6'],
  ...['--seq-len', '7', '--batch-size', '1'],
]

describe.runIf(gpuModes.includes('webgpu'))('tau on webgpu', () => {
  it('trains, and goes on when the device is lost', async () => {
    const out = join(folder, 'runs/gpu')
    let evaluations = 0
    let losing: Promise<void> | undefined
    const { code, stderr } = await tau(train(out, ...WEBGPU, ...FEW_KERNELS), (line) => {
      if (line.includes('bits/byte') && ++evaluations === 4) losing = loseDevice()
    })
    await losing
    expect(stderr).toMatch(/device: gpu, webgpu, .+/)
    expect(code).toBe(0)
    const records = await readMetrics(join(out, 'metrics.jsonl'))
    expect(records[0]).toMatchObject({
      device: { backend: 'gpu', variant: 'webgpu', adapter: expect.any(String) },
    })
    expect(stderr).toMatch(
      /the device must stay available, got a lost device[\s\S]+continuing from step 2 on gpu, webgpu/,
    )
    expect(records.filter(({ kind }) => kind === 'run')).toHaveLength(2)
    expect(records.filter(({ kind }) => kind === 'step').map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('generates with a model of another backend', async () => {
    const out = join(folder, 'runs/cpu')
    expect(await tau(train(out, '--backend', 'cpu'))).toMatchObject({ code: 0 })
    const generated = await tau(['generate', out, 'Call me', '--tokens', '4', ...WEBGPU])
    expect(generated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Call me/) })
  })
})

describe('tau with --backend auto', () => {
  it('says and keeps what it chose, and why', async () => {
    const out = join(folder, 'runs/auto')
    const { code, stderr } = await tau(train(out, '--backend', 'auto'))
    expect(code).toBe(0)
    const reason = '0.0043 G operations between reads are done before a GPU has started'
    expect(stderr.replace(/\d\.\d+ G/, '0.0043 G')).toContain(`chosen because ${reason}`)
    const [run] = await readMetrics(join(out, 'metrics.jsonl'))
    expect(run).toMatchObject({
      device: { backend: 'cpu', reason: expect.stringContaining('operations between reads') },
    })
  })
})
