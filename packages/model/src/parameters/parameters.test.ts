import { cpu, type Device } from '@tau/tensor'
import { itMatchesOracle } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ModelOptions, resolveConfig } from '../config/config.ts'
import { parameterValues, tiny } from '../testing.ts'
import { countParameters, initParameters, parameterGroups, parameterSpecs, streamOf } from './parameters.ts'

const shapesOf = (options: ModelOptions): Record<string, readonly number[]> =>
  Object.fromEntries(parameterSpecs(resolveConfig(options)).map(({ name, shape }) => [name, shape]))

describe('names and shapes', () => {
  it('of the default model: 5 channels per value head, a manifold of 14', () => {
    const shapes = shapesOf({ vocabSize: 23, nLayer: 1, nHead: 6, nKvHead: 3, nEmbd: 30, manifoldDim: 14 })
    expect(shapes).toEqual({
      'wte.weight': [23, 30],
      'blocks.0.attn.c_q.weight': [84, 30],
      'blocks.0.attn.c_k.weight': [42, 30],
      'blocks.0.attn.c_v.weight': [15, 30],
      'blocks.0.attn.log_temperature': [6],
      'blocks.0.attn.log_tau': [3],
      'blocks.0.attn.c_f.weight': [6, 30],
      'blocks.0.attn.c_f.bias': [6],
      'blocks.0.attn.c_g.weight': [30, 30],
      'blocks.0.attn.c_proj.weight': [30, 30],
      'blocks.0.mlp.c_fc.weight': [120, 30],
      'blocks.0.mlp.c_proj.weight': [30, 120],
      'lm_head.weight': [23, 30],
    })
  })

  const paper = { ...tiny, nLayer: 1, preset: 'paper' } as const
  const attn = (names: string[]) => names.map((name) => `blocks.0.attn.${name}`)
  it.for<[string, ModelOptions, string[]]>([
    ['nothing', {}, []],
    ['a learned temperature', { learnTemperature: true }, ['log_temperature']],
    ['a learned temperature as it is', { learnTemperature: true, positiveAs: 'plain' }, ['temperature']],
    ['a learned τ', { tauMode: 'learned' }, ['log_tau']],
    ['a given decay', { decay: 'constant', decayRate: 0.1 }, []],
    ['a learned decay', { decay: 'constant', decayRate: 0.1, learnDecayRate: true }, ['log_gamma']],
    ['a forget gate', { decay: 'forget-gate' }, ['c_f.weight', 'c_f.bias']],
    ['the token shift', { tokenShift: 'half' }, []],
    ['the output gate', { outputGate: true }, ['c_g.weight']],
    ['dot products', { attention: 'dot', learnTemperature: true, tauMode: 'learned' }, []],
    [
      'dot products with LayerNorm',
      { attention: 'dot', qkLayerNorm: true },
      ['qk_norm_q.weight', 'qk_norm_q.bias', 'qk_norm_k.weight', 'qk_norm_k.bias'],
    ],
  ])('%s adds just its own to the paper preset', ([, options, added]) => {
    const plain = Object.keys(shapesOf(paper))
    const names = Object.keys(shapesOf({ ...paper, ...options }))
    expect(names.filter((name) => !plain.includes(name))).toEqual(attn(added))
    expect(plain.filter((name) => !names.includes(name))).toEqual([])
  })
})

interface ModelInputs {
  config: Record<string, number | string | boolean>
  weights: Record<string, { shape: number[] }>
}

/** The oracle's configuration in our terms: the sizes, and each switch that its weights show. */
function optionsOf({ config, weights }: ModelInputs): ModelOptions {
  const has = (name: string) => `blocks.0.attn.${name}` in weights
  const heads = Number(config.n_head)
  return {
    preset: 'paper',
    attention: config.attention === 'dot' ? 'dot' : 'tau',
    positiveAs: 'plain',
    vocabSize: Number(config.vocab_size),
    nLayer: Number(config.n_layer),
    nHead: heads,
    nKvHead: Number(config.n_kv_head),
    nEmbd: Number(config.n_embd),
    manifoldDim: weights['blocks.0.attn.c_q.weight'].shape[0] / heads,
    learnTemperature: has('temperature'),
    tauMode: has('tau') ? 'learned' : 'fixed',
    decay: has('gamma') ? 'constant' : has('c_f.weight') ? 'forget-gate' : 'none',
    learnDecayRate: has('gamma'),
    outputGate: has('c_g.weight'),
    qkLayerNorm: has('qk_norm_q.weight'),
  }
}

describe('names and shapes of parameters', () => {
  for (const group of ['model_tau', 'model_nano', 'model_gated'])
    itMatchesOracle<ModelInputs, unknown>(group, ({ inputs }) => {
      const weights = Object.entries(inputs.weights).map(([name, { shape }]) => [name, shape])
      expect(shapesOf(optionsOf(inputs))).toEqual(Object.fromEntries(weights))
    })
})

describe('parameter groups', () => {
  it.each<ModelOptions>([{}, { attention: 'dot' }, { preset: 'paper' }])(
    'of %o hold the matrices between embedding and output, and no gate of one number per head',
    (options) => {
      const config = resolveConfig({ ...options, vocabSize: 23, nLayer: 2, nHead: 2, nEmbd: 20 })
      const [hidden, ...others] = parameterGroups(config)
      expect(others).toEqual([])
      const matrices = parameterSpecs(config).filter(
        ({ shape }) => Math.min(...shape) > 2 && shape.length === 2,
      )
      const expected = matrices.map(({ name }) => name).filter((name) => !/^(wte|lm_head)/.test(name))
      expect(hidden).toEqual({ names: expected, isHidden: true })
      expect(expected).toContain('blocks.1.attn.c_proj.weight')
    },
  )
})

describe('parameter counts', () => {
  it.for<[string, ModelOptions, number]>([
    // 2·V·C + L·(13·C² + H·C + 3·H): q, k, v, gate and projection, 8·C² of MLP; forget gate; temperature, τ, bias
    ['nano', { size: 'nano' }, 2 * 2048 * 128 + 4 * (13 * 128 ** 2 + 4 * 128 + 3 * 4)],
    ['tau-30m', { size: 'tau-30m' }, 2 * 30_522 * 384 + 6 * (13 * 384 ** 2 + 6 * 384 + 3 * 6)],
    ['tau-100m', { size: 'tau-100m' }, 2 * 30_522 * 768 + 12 * (13 * 768 ** 2 + 12 * 768 + 3 * 12)],
    // without any of the additions
    ['tau-30m paper', { size: 'tau-30m', preset: 'paper' }, 2 * 30_522 * 384 + 6 * 12 * 384 ** 2],
    [
      'tau-30m dot',
      { size: 'tau-30m', preset: 'paper', attention: 'dot' },
      2 * 30_522 * 384 + 6 * 12 * 384 ** 2,
    ],
    // q 6·10·12, k 3·10·12, v 3·2·12, gate and projection 2·12², MLP 8·12²; forget gate 6·12 + 6; temperature 6, τ 3
    ['grouped, wide manifold', tiny, 2 * 23 * 12 + 2 * (720 + 360 + 72 + 288 + 1152 + 78 + 9)],
  ])('%s', ([, options, count]) => {
    expect(countParameters(resolveConfig(options))).toBe(count)
  })

  it('in plain numbers', () => {
    const count = (options: ModelOptions) => countParameters(resolveConfig(options))
    expect(count({ size: 'nano' })).toBe(1_378_352)
    expect(count({ size: 'tau-30m' })).toBe(34_956_396)
    expect(count({ size: 'tau-100m' })).toBe(139_005_360)
  })
})

describe('init', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())

  const init = (options: ModelOptions, seed = 1) => {
    using _scope = device.scope()
    return parameterValues(initParameters(device, resolveConfig(options), seed))
  }
  /** Mean and standard deviation. */
  const moments = (values: Float32Array) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return {
      mean,
      std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length),
    }
  }

  it('is the same for a seed and another for another', async () => {
    const [a, b, c] = [await init(tiny, 1), await init(tiny, 1), await init(tiny, 2)]
    expect(a).toEqual(b)
    expect(a.get('wte.weight')).not.toEqual(c.get('wte.weight'))
  })

  it('of a parameter depends on no other: switches and layers added leave it alone', async () => {
    const plain = await init({ ...tiny, preset: 'paper', nLayer: 1 })
    const rich = await init({ ...tiny, nLayer: 3 })
    expect(rich.size).toBeGreaterThan(plain.size)
    for (const [name, values] of plain) expect(rich.get(name), name).toEqual(values)
  })

  it('draws every parameter from a stream of its own', async () => {
    const parameters = await init(tiny)
    const drawn = parameterSpecs(resolveConfig(tiny)).flatMap(({ name, init: { kind } }) =>
      kind === 'normal' ? [parameters.get(name) ?? new Float32Array()] : [],
    )
    expect(drawn).toHaveLength(2 + 2 * 5)
    // Equal streams would give equal numbers but for the deviation.
    expect(new Set(drawn.map(([first, second]) => (first / second).toFixed(4))).size).toBe(drawn.length)
    const options = { nLayer: 200, decay: 'forget-gate', attention: 'dot', qkLayerNorm: true } as const
    const names = [
      ...Object.keys(shapesOf(options)),
      ...Object.keys(shapesOf({ ...options, attention: 'tau', qkLayerNorm: false })),
    ]
    const unique = new Set(names)
    expect(new Set(Array.from(unique, streamOf)).size).toBe(unique.size)
    // The published test vectors of 32-bit FNV-1a.
    expect([streamOf(''), streamOf('a'), streamOf('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968])
  })

  it('is normal with deviation 1/√in for weights, 0.3 for embeddings, 0.001 for the head', async () => {
    const parameters = await init({ vocabSize: 509, nLayer: 1, nHead: 2, nEmbd: 124, manifoldDim: 82 })
    for (const [name, std] of [
      ['wte.weight', 0.3],
      ['blocks.0.attn.c_q.weight', 1 / Math.sqrt(124)],
      ['blocks.0.attn.c_k.weight', 1 / Math.sqrt(124)],
      ['blocks.0.attn.c_v.weight', 1 / Math.sqrt(124)],
      ['blocks.0.attn.c_g.weight', 1 / Math.sqrt(124)],
      ['blocks.0.mlp.c_fc.weight', 1 / Math.sqrt(124)],
      ['lm_head.weight', 0.001],
    ] as const) {
      const values = parameters.get(name) ?? new Float32Array()
      const found = moments(values)
      // Four standard errors of a mean and of a deviation.
      expect(Math.abs(found.mean), name).toBeLessThan((4 * std) / Math.sqrt(values.length))
      expect(Math.abs(found.std - std), name).toBeLessThan((4 * std) / Math.sqrt(2 * values.length))
    }
  })

  it('is 0 for projections into the residual stream and for the forget gate’s weights', async () => {
    const parameters = await init(tiny)
    for (const name of ['attn.c_proj.weight', 'mlp.c_proj.weight', 'attn.c_f.weight'])
      expect(
        parameters.get(`blocks.1.${name}`)?.every((value) => value === 0),
        name,
      ).toBe(true)
  })

  it('is the configured scale for temperature, τ and γ, as it is or as a logarithm', async () => {
    const scales = { ...tiny, temperature: 0.25, tau: 3, decay: 'constant', decayRate: 0.5 } as const
    const logs = await init(scales)
    const plain = await init({ ...scales, positiveAs: 'plain' })
    for (const [name, value, heads] of [
      ['temperature', 0.25, 6],
      ['tau', 3, 3],
      ['gamma', 0.5, 6],
    ] as const) {
      expect(logs.get(`blocks.0.attn.log_${name}`)).toEqual(new Float32Array(heads).fill(Math.log(value)))
      expect(plain.get(`blocks.0.attn.${name}`)).toEqual(new Float32Array(heads).fill(value))
    }
  })

  it('spreads the forget gate’s bias over the heads: half-lives from 1.5 to 170 tokens', async () => {
    const bias = (await init(tiny)).get('blocks.0.attn.c_f.bias')
    expect(Array.from(bias ?? [])).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    const halfLives = Array.from(bias ?? [], (b) => Math.LN2 / Math.log1p(Math.exp(-b)))
    expect(halfLives[0]).toBeCloseTo(1.46, 2)
    expect(halfLives[5]).toBeCloseTo(170, 0)
    const one = await init({ ...tiny, nHead: 1, nKvHead: 1 })
    expect(Array.from(one.get('blocks.0.attn.c_f.bias') ?? [])).toEqual([0.5])
  })

  it('starts qk LayerNorm as no change', async () => {
    const parameters = await init({ ...tiny, attention: 'dot', qkLayerNorm: true })
    expect(parameters.get('blocks.0.attn.qk_norm_q.weight')).toEqual(new Float32Array(10).fill(1))
    expect(parameters.get('blocks.0.attn.qk_norm_k.bias')).toEqual(new Float32Array(10))
  })
})
