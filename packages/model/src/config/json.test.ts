import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ModelOptions, resolveConfig } from './config.ts'
import { configFromJson, configToJson } from './json.ts'
import type { ModelConfig } from './model-config.ts'

const text = (config: ModelConfig, change: Record<string, unknown> = {}): string =>
  JSON.stringify({ ...JSON.parse(configToJson(config)), ...change })

describe('config.json', () => {
  it('has the shape that Hugging Face tools read', () => {
    const json = JSON.parse(configToJson(resolveConfig({ size: 'tau-30m' })))
    expect(json).toMatchObject({
      model_type: 'tau_gpt',
      architectures: ['TauGPT'],
      vocab_size: 30_522,
      n_kv_head: 6,
      tau_mode: 'learned',
      qk_layer_norm: false,
      manifold_dim: null,
      softcap: 15,
    })
    expect(JSON.parse(configToJson(resolveConfig({ attention: 'dot' })))).toMatchObject({
      model_type: 'gpt',
      architectures: ['GPT'],
    })
  })

  it('comes back as it was', () => {
    const options = fc.record<ModelOptions>(
      {
        preset: fc.constantFrom('default', 'paper'),
        size: fc.constantFrom('nano', 'tau-30m', 'tau-100m'),
        attention: fc.constantFrom('tau', 'dot', 'dot-window'),
        manifoldDim: fc.option(fc.integer({ min: 1, max: 99 }).map((half) => 2 * half)),
        temperature: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        tau: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        tauPolicy: fc.constantFrom('median', 'mean', 'percentile:0.25', 'percentile:1', 'percentile:0'),
        decay: fc.constantFrom('none', 'forget-gate'),
        tokenShift: fc.constantFrom('none', 'half', 'all'),
        positionalEncoding: fc.constantFrom('rope', 'none'),
        softcap: fc.option(fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
        positiveAs: fc.constantFrom('log', 'plain'),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(options, (given) => {
        const config = resolveConfig(given)
        expect(configFromJson(configToJson(config))).toEqual(config)
      }),
      { seed: 11, numRuns: 200 },
    )
  })

  const config = resolveConfig()
  it.for<[string, string, string]>([
    ['text that is not JSON', '{"n_layer": 4', 'm/config.json: must be JSON, got'],
    ['an empty file', '', 'm/config.json: must be JSON, got'],
    ['a list', '[4]', 'm/config.json: must be a JSON object, got [4]'],
    ['null', 'null', 'm/config.json: must be a JSON object, got null'],
    [
      'an unknown key',
      text(config, { n_heads: 8 }),
      'm/config.json: n_heads is not a field of the model, got 8',
    ],
    [
      'a key in our own spelling',
      text(config, { nHead: 8 }),
      'm/config.json: nHead is not a field of the model',
    ],
    [
      'a number as text',
      text(config, { n_layer: '4' }),
      'm/config.json: config: nLayer must be a whole number',
    ],
    [
      'a switch as text',
      text(config, { output_gate: 'no' }),
      'm/config.json: config: outputGate must be one of true, false, got "no"',
    ],
    [
      'text as a number',
      text(config, { decay: 1 }),
      'config: decay must be one of none, constant, forget-gate, got 1',
    ],
    [
      'a name of before in a file of now',
      text(config, { clock: 'gate' }),
      'clock is not a field of the model',
    ],
    ['a file of later', text(config, { format: 3 }), 'm/config.json: format must be 2 or less, got 3'],
    ['a word of objects', text(config, { constructor: 1 }), 'constructor is not a field of the model'],
    [
      'null where a number must be',
      text(config, { n_embd: null }),
      'm/config.json: config: nEmbd must be a whole number from 1 to 65536, got null',
    ],
    [
      'a list for a nullable number',
      text(config, { softcap: [15] }),
      'm/config.json: config: softcap must be a finite number above 0, or null, got [15]',
    ],
    [
      'a value that makes no model',
      text(config, { n_embd: 130 }),
      'm/config.json: config: nEmbd must be a multiple of nHead = 4, got 130',
    ],
    [
      'a number beyond f64',
      text(config).replace('"tau":1,', '"tau":1e999,'),
      'tau must be a finite number above 0, got Infinity',
    ],
    [
      'a size that would fill memory',
      text(config, { n_layer: 1e12 }),
      'nLayer must be a whole number from 1 to 1024, got 1000000000000',
    ],
    [
      'another model',
      text(config, { model_type: 'llama' }),
      'm/config.json: model_type must be tau_gpt for tau attention, got "llama"',
    ],
    [
      'the other attention',
      text(config, { attention: 'dot' }),
      'm/config.json: model_type must be gpt for dot attention, got "tau_gpt"',
    ],
    [
      'no model type',
      text(config, { model_type: undefined }),
      'm/config.json: model_type must be tau_gpt for tau attention, got undefined',
    ],
  ])('refuses %s', ([, json, message]) => {
    expect(() => configFromJson(json, 'm/config.json')).toThrow(message)
  })

  it('refuses a missing field, unless it is younger than the file may be', () => {
    const json = JSON.parse(configToJson(config))
    const head = ['architectures', 'model_type', 'format']
    const keys = Object.keys(json).filter((key) => !head.includes(key))
    expect(keys).toHaveLength(Object.keys(config).length - 1) // all but layers, which are null
    const young: Readonly<Record<string, unknown>> = { shared_qk: false, positional_encoding: 'rope' }
    for (const key of keys) {
      const without = JSON.stringify({ ...json, [key]: undefined })
      if (key in young) expect(configFromJson(without)).toEqual(config)
      else
        expect(() => configFromJson(without), key).toThrow(
          `config.json: ${key} must be there, got no such field`,
        )
    }
  })

  it('reads a file of format 1, whose fields had other names, and writes it with those of now', () => {
    const {
      format: _,
      decay,
      decay_rate,
      learn_decay_rate,
      token_shift,
      shared_qk,
      positional_encoding,
      ...rest
    } = JSON.parse(configToJson(config))
    expect([decay, decay_rate, learn_decay_rate, token_shift]).toEqual(['forget-gate', 0.02, true, 'half'])
    expect([shared_qk, positional_encoding]).toEqual([false, 'rope'])
    const old = { ...rest, clock: 'gate', gamma: 0.02, learn_gamma: true, key_shift: true }
    expect(configFromJson(JSON.stringify(old))).toEqual(config)
    const steady = configFromJson(JSON.stringify({ ...old, clock: 'steady', key_shift: false }))
    expect([steady.decay, steady.tokenShift]).toEqual(['constant', 'none'])
    // A dot model of then had the options of λ-attention as well.
    const dot = configFromJson(JSON.stringify({ ...old, attention: 'dot', model_type: 'gpt' }))
    expect(dot).toEqual(resolveConfig({ attention: 'dot' }))
    expect(() => configFromJson(JSON.stringify({ ...old, clock: 'cuckoo' }))).toThrow('got "cuckoo"')
    expect(() => configFromJson(JSON.stringify({ ...old, n_heads: 2 }))).toThrow('n_heads is not a field')
  })

  it('keeps groups of heads', () => {
    const mixed = resolveConfig({
      layers: [
        [
          { attention: 'dot-window', window: 7, kvHeads: 1 },
          { positionalEncoding: 'none', tokenShift: 'all' },
        ],
        [{ attention: 'dot' }],
      ],
    })
    const text = configToJson(mixed)
    expect(JSON.parse(text).layers[0][0]).toEqual({ attention: 'dot-window', window: 7, kv_heads: 1 })
    expect(configFromJson(text)).toEqual(mixed)
    expect(JSON.parse(text).model_type).toBe('tau_gpt')
  })
})
