import { describe, expect, it } from 'vitest'
import { checkConfig, headDim, type ModelOptions, manifoldDim, resolveConfig } from './config.ts'
import { sizes } from './fields.ts'
import type { ModelConfig } from './model-config.ts'

describe('presets and sizes', () => {
  it('default is the gated tau model at nano size', () => {
    expect(resolveConfig()).toEqual({
      attention: 'tau',
      vocabSize: 2048,
      seqLen: 256,
      nLayer: 4,
      nHead: 4,
      nKvHead: 4,
      nEmbd: 128,
      manifoldDim: null,
      temperature: 0.05,
      learnTemperature: true,
      tauMode: 'learned',
      tau: 1,
      tauPolicy: 'median',
      decay: 'forget-gate',
      decayRate: 0.02,
      learnDecayRate: true,
      tokenShift: 'half',
      sharedQk: false,
      positionalEncoding: 'rope',
      layers: null,
      outputGate: true,
      qkLayerNorm: false,
      positiveAs: 'log',
      ropeBase: 10_000,
      eps: 1e-6,
      softcap: 15,
    } satisfies ModelConfig)
  })

  it('paper is plain attention by distance at temperature 1 and τ 1', () => {
    expect(resolveConfig({ preset: 'paper' })).toEqual({
      ...resolveConfig(),
      temperature: 1,
      learnTemperature: false,
      tauMode: 'fixed',
      tau: 1,
      tauPolicy: 'median',
      decay: 'none',
      decayRate: 0,
      learnDecayRate: false,
      tokenShift: 'none',
      outputGate: false,
    })
  })

  it.for([
    [
      'nano',
      { vocabSize: 2048, seqLen: 256, nLayer: 4, nHead: 4, nKvHead: 4, nEmbd: 128, manifoldDim: null },
    ],
    [
      'tau-30m',
      { vocabSize: 30_522, seqLen: 1024, nLayer: 6, nHead: 6, nKvHead: 6, nEmbd: 384, manifoldDim: null },
    ],
    [
      'tau-100m',
      { vocabSize: 30_522, seqLen: 1024, nLayer: 12, nHead: 12, nKvHead: 12, nEmbd: 768, manifoldDim: null },
    ],
  ] as const)('size %s', ([size, expected]) => {
    expect({ ...sizes[size], manifoldDim: null }).toEqual(expected)
    expect(resolveConfig({ size })).toMatchObject(expected)
  })

  it('given fields win over size and preset, undefined ones do not', () => {
    expect(
      resolveConfig({
        size: 'tau-30m',
        preset: 'paper',
        decay: 'constant',
        decayRate: 0.1,
        nLayer: undefined,
      }),
    ).toMatchObject({ nLayer: 6, decay: 'constant', decayRate: 0.1, temperature: 1 })
  })

  it('kv heads follow the query heads unless given', () => {
    expect(resolveConfig({ nHead: 8 }).nKvHead).toBe(8)
    expect(resolveConfig({ nHead: 8, nKvHead: 2 }).nKvHead).toBe(2)
    expect(resolveConfig({ nKvHead: 2 })).toMatchObject({ nHead: 4, nKvHead: 2 })
  })

  it('a resolved configuration resolves to itself', () => {
    const config = resolveConfig({ size: 'tau-30m', preset: 'paper', attention: 'dot', qkLayerNorm: true })
    expect(resolveConfig(config)).toEqual(config)
  })
})

describe('head dims', () => {
  it('the manifold is as wide as a head unless given', () => {
    const config = resolveConfig({ nEmbd: 120, nHead: 12 })
    expect([headDim(config), manifoldDim(config)]).toEqual([10, 10])
    const wide = resolveConfig({ nEmbd: 120, nHead: 12, manifoldDim: 34 })
    expect([headDim(wide), manifoldDim(wide)]).toEqual([10, 34])
  })

  it('an odd head dim is no rule for values, only for the manifold', () => {
    expect(headDim(resolveConfig({ nEmbd: 21, nHead: 3, manifoldDim: 4 }))).toBe(7)
  })
})

describe('a configuration that makes no model', () => {
  // As from JavaScript or a file: the type does not hold these.
  const given = (fields: object): ModelOptions => ({ ...fields })

  it.for<[string, object, string | RegExp]>([
    [
      'width that heads do not divide',
      { nEmbd: 130 },
      'config: nEmbd must be a multiple of nHead = 4, got 130; use 132',
    ],
    ['kv heads that do not divide', { nKvHead: 3 }, 'config: nKvHead must divide nHead = 4, got 3; use 4'],
    [
      'odd head dim',
      { nEmbd: 12 },
      'config: manifoldDim must be even, because RoPE rotates pairs of channels (here 3), got null; set another',
    ],
    [
      'odd manifold',
      { manifoldDim: 7 },
      'manifoldDim must be even, because RoPE rotates pairs of channels (here 7)',
    ],
    ['manifold of nothing', { manifoldDim: 0 }, /manifoldDim must .* got 0;/],
    ['manifold too large', { manifoldDim: 65_538 }, /manifoldDim must .* got 65538;/],
    ['no vocabulary', { vocabSize: 0 }, 'vocabSize must be a whole number from 1 to 16777216, got 0'],
    ['fractional length', { seqLen: 2.5 }, 'seqLen must be a whole number from 1 to 16777216, got 2.5'],
    ['layers as text', { nLayer: '4' }, 'nLayer must be a whole number from 1 to 1024, got "4"'],
    ['layers without end', { nLayer: 1e9 }, 'nLayer must be a whole number from 1 to 1024, got 1000000000'],
    ['no heads', { nHead: 0 }, 'nHead must be a whole number from 1 to 65536, got 0'],
    [
      'width that is no number',
      { nEmbd: Number.NaN },
      'nEmbd must be a whole number from 1 to 65536, got NaN',
    ],
    ['temperature 0', { temperature: 0 }, 'temperature must be a finite number above 0, got 0'],
    ['temperature as text', { temperature: '1' }, 'temperature must be a finite number above 0, got "1"'],
    ['negative τ', { tau: -1 }, 'tau must be a finite number above 0, got -1'],
    ['ε 0', { eps: 0 }, 'eps must be a finite number above 0, got 0'],
    [
      'endless base',
      { ropeBase: Number.POSITIVE_INFINITY },
      'ropeBase must be a finite number above 0, got Infinity',
    ],
    ['negative γ', { decayRate: -0.1 }, 'decayRate must be a finite number of at least 0, got -0.1'],
    [
      'logarithm of γ 0',
      { decay: 'constant', decayRate: 0 },
      'decayRate must start above 0 when it is learned as a logarithm, got 0; set decayRate to 0.02',
    ],
    ['softcap 0', { softcap: 0 }, 'softcap must be a finite number above 0, or null, got 0'],
    [
      'softcap ∞',
      { softcap: Number.POSITIVE_INFINITY },
      'softcap must be a finite number above 0, or null, got Infinity',
    ],
    [
      'attention of another kind',
      { attention: 'cosine' },
      'attention must be one of tau, dot, dot-window, got "cosine"',
    ],
    [
      'τ of another kind',
      { tauMode: 'median' },
      'tauMode must be one of fixed, learned, adaptive, reference-median, reference-mean, got "median"',
    ],
    [
      'decay of another kind',
      { decay: 'gate' },
      'decay must be one of none, constant, forget-gate, got "gate"',
    ],
    ['scale of another kind', { positiveAs: 'sqrt' }, 'positiveAs must be one of log, plain, got "sqrt"'],
    ['shift as a switch', { tokenShift: true }, 'tokenShift must be one of none, half, all, got true'],
    ['switch as text', { sharedQk: 'yes' }, 'sharedQk must be one of true, false, got "yes"'],
    ['switch as number', { outputGate: 1 }, 'outputGate must be one of true, false, got 1'],
    ['policy of another kind', { tauPolicy: 'mode' }, 'tauPolicy must be median, mean or percentile:P'],
    ['percentile above 1', { tauPolicy: 'percentile:1.5' }, /tauPolicy must .* got "percentile:1.5"/],
    ['policy as number', { tauPolicy: 0.5 }, /tauPolicy must .* got 0.5/],
    [
      'unknown field',
      { nHeads: 8 },
      'config: nHeads must be left out, because no model has such a field, got 8',
    ],
  ])('%s', ([, fields, message]) => {
    expect(() => resolveConfig(given(fields))).toThrow(message)
  })

  it.for([
    ['size', 'config: size must be one of nano, tau-30m, tau-100m, got huge'],
    ['preset', 'config: preset must be one of default, paper, got huge'],
  ])('%s of no such name', ([field, message]) => {
    expect(() => resolveConfig(given({ [field]: 'huge' }))).toThrow(message)
  })

  it('a missing field', () => {
    for (const field of Object.keys(resolveConfig())) {
      const config = resolveConfig()
      Reflect.deleteProperty(config, field)
      expect(() => checkConfig(config), field).toThrow(`config: ${field} must`)
    }
  })

  it('rules of one attention do not bind the other', () => {
    expect(resolveConfig({ attention: 'dot', temperature: 3 })).not.toHaveProperty('temperature')
    expect(resolveConfig({ decay: 'constant', decayRate: 0, learnDecayRate: false }).decayRate).toBe(0)
    expect(resolveConfig({ decay: 'constant', decayRate: 0, positiveAs: 'plain' }).decayRate).toBe(0)
  })
})
