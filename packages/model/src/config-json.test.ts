import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ModelConfig, type ModelOptions, resolveConfig } from './config.ts'
import { configFromJson, configToJson } from './config-json.ts'

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
        attention: fc.constantFrom('tau', 'dot'),
        manifoldDim: fc.option(fc.integer({ min: 1, max: 99 }).map((half) => 2 * half)),
        temperature: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        tau: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        tauPolicy: fc.constantFrom('median', 'mean', 'percentile:0.25', 'percentile:1', 'percentile:0'),
        clock: fc.constantFrom('none', 'gate'),
        keyShift: fc.boolean(),
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
    ['a number as text', text(config, { n_layer: '4' }), 'm/config.json: n_layer must be a number, got "4"'],
    [
      'a switch as text',
      text(config, { key_shift: 'no' }),
      'm/config.json: key_shift must be a boolean, got "no"',
    ],
    ['text as a number', text(config, { clock: 1 }), 'm/config.json: clock must be a string, got 1'],
    [
      'null where a number must be',
      text(config, { n_embd: null }),
      'm/config.json: n_embd must be a number, got null',
    ],
    [
      'a list for a nullable number',
      text(config, { softcap: [15] }),
      'm/config.json: softcap must be a number or null, got [15]',
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

  it('refuses a missing field, whichever it is', () => {
    const json = JSON.parse(configToJson(config))
    const keys = Object.keys(json).filter((key) => key !== 'architectures' && key !== 'model_type')
    expect(keys).toHaveLength(Object.keys(config).length)
    for (const key of keys)
      expect(() => configFromJson(JSON.stringify({ ...json, [key]: undefined })), key).toThrow(
        `config.json: ${key} must be there, got no such field`,
      )
  })
})
