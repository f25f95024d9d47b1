import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, loadModel, registerAttentionKind } from '@tau/model'
import { cpu } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { distributionsOf, numbersOf, readMetrics } from '@tau/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TINY, tau, workFolder } from './testing.ts'
import { meanAttention } from './toy-kind.ts'

describe('a kind of attention from outside: one file, one registration', () => {
  let unregister = () => {}
  let out = ''
  beforeAll(async () => {
    unregister = registerAttentionKind(meanAttention)
    const { folder, text } = await workFolder()
    out = join(folder, 'run')
    const { code, stderr } = await tau([
      ...['train', '--data', text, '--out', out, '--steps', '4', '--attention', 'mean', '--growth', '0.5'],
      ...['--train.headsEvery', '2', ...TINY],
    ])
    expect([code, stderr]).toEqual([0, expect.stringContaining('MeanGPT with means of all values')])
  })
  afterAll(() => unregister())

  it('is an option of the command, with its own option', async () => {
    const { stdout } = await tau(['train', '--help'])
    expect(stdout).toContain('mean, means of all values')
    expect(stdout).toContain('Exponent of the weights (j + 1)^growth')
    const { stderr } = await tau(['train', '--attention', 'mean', '--growth', '-1', '--data', 'x'])
    expect(stderr).toContain('growth: must be a number of at least 0')
  })

  it('trains: its parameter and all others move', async () => {
    const records = await readMetrics(join(out, 'metrics.jsonl'))
    const steps = records.filter(({ kind }) => kind === 'step')
    expect(steps).toHaveLength(4)
    const [first, ...others] = records.filter((record) => record.kind === 'heads')
    expect(distributionsOf(first.layers[0], 'firstChannel')).toHaveLength(2)
    expectNear(numbersOf(first.layers[0], 'gain'), [1, 1], { atol: 1e-6 })
    expect(numbersOf(others[others.length - 1].layers[0], 'gain')).not.toEqual(
      numbersOf(first.layers[0], 'gain'),
    )
  })

  it('saves, loads, generates and shows in the report', async () => {
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))
    expect(config).toMatchObject({ model_type: 'mean_gpt', attention: 'mean', growth: 0.5 })
    expect(config).not.toHaveProperty('temperature')
    const { code, stdout } = await tau(['generate', out, 'Call me', '--tokens', '7', '--threads', '1'])
    expect([code, stdout.length > 0]).toEqual([0, true])
    const report = readFileSync(join(out, 'report.html'), 'utf8')
    for (const text of ['MeanGPT', 'means of all values', 'Distribution of first channels', 'Gain'])
      expect(report).toContain(text)
  })

  it('decodes step by step as in one pass, beside another kind in the same layer', async () => {
    const device = await cpu({ threads: 1 })
    const size = { vocabSize: 23, seqLen: 13, nLayer: 2, nHead: 2, nEmbd: 12 }
    const layers = [[{ kvHeads: 1, attention: 'dot' }, { attention: 'mean' }]]
    using model = createModel(device, { ...size, layers }, { seed: 1 })
    const projection = model.parameters.get('blocks.0.attn.c_proj.weight')
    projection?.write(Float32Array.from({ length: 144 }, (_, i) => Math.sin(i)))
    const ids = Array.from({ length: 11 }, (_, i) => (7 * i) % 23)
    {
      using _scope = device.scope()
      const full = await model.forward(model.tokens(ids)).data()
      using state = model.decodeState()
      for (const [t, id] of ids.entries())
        expectNear(
          await model.forward(model.tokens([id]), { state }).data(),
          Float64Array.from(full.subarray(t * 23, (t + 1) * 23)),
          { atol: 1e-6 },
        )
    }
    await device.close()
  })

  it('is unknown where it is not registered', async () => {
    unregister()
    const device = await cpu({ threads: 1 })
    await expect(loadModel(device, out)).rejects.toThrow('growth is not a field of the model')
    await device.close()
    unregister = registerAttentionKind(meanAttention)
  })
})
