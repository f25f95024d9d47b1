import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultTrainOptions, runSettings } from '@tau/train'
import { afterAll, describe, expect, it } from 'vitest'
import { buildConfig, type FlagValue, runSettingsOf, trainOptions } from './config.ts'
import { editDistance, nearest, UsageError } from './errors.ts'
import { configSections } from './fields.ts'
import { parseConfigText, readConfigFile } from './file.ts'
import { configYaml, expandConfig } from './print.ts'

const file = (text: string) => parseConfigText(text, '/some/where/run.yaml')
const flag = (path: string, text: string | string[]): FlagValue => ({ path, flag: `--${path}`, text })
const fields = configSections().flatMap((section) => section.fields)

/** Returns the message of the error that `f` must throw. */
function messageOf(f: () => unknown): string {
  try {
    f()
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    if (error instanceof Error) return error.message
  }
  throw new Error('expected an error')
}

describe('buildConfig', () => {
  it('has defaults for everything: the training loop’s own, and the model’s left to its package', () => {
    const config = buildConfig(undefined, [])
    const { data, tokenizer, manifold, train, sample } = runSettings()
    expect(runSettingsOf(config)).toMatchObject({ data, tokenizer, sample })
    expect(runSettingsOf(config).manifold).toEqual(manifold)
    expect(runSettingsOf(config).train).toEqual(train)
    expect(config.model).toEqual({ preset: 'default', size: 'nano' })
    expect(config.data).toEqual({ files: [], heldOut: 0.05 })
  })

  it('takes the file over the defaults and flags over the file, and does not change the file’s values', () => {
    const source = file('train: {lr: 0.5, steps: 7}\nmodel:\n  attention: dot\n')
    const config = buildConfig(source, [
      flag('train.lr', '1e-2'),
      flag('out', 'elsewhere'),
      flag('data.files', ['a', 'b']),
    ])
    expect(config.train).toMatchObject({ lr: 0.01, steps: 7, batchSize: defaultTrainOptions.batchSize })
    expect(config).toMatchObject({
      model: { attention: 'dot' },
      out: 'elsewhere',
      data: { files: ['a', 'b'] },
    })
    expect(source.values).toMatchObject({ train: { lr: 0.5 } })
  })

  it('reads JSON, an empty file and an empty section', () => {
    expect(buildConfig(file('{"train": {"steps": 3}}'), []).train.steps).toBe(3)
    expect(buildConfig(file('# nothing\n'), [])).toEqual(buildConfig(undefined, []))
    expect(buildConfig(file('train:\n'), [])).toEqual(buildConfig(undefined, []))
  })

  it('reads flags by the kind of the field; none is null where null is allowed', () => {
    const config = buildConfig(undefined, [
      flag('model.tokenShift', 'none'),
      flag('model.learnTemperature', 'false'),
      flag('model.layers', '[[{"attention":"dot"}]]'),
      flag('model.softcap', 'none'),
      flag('train.gradClip', 'none'),
      flag('train.evalTokens', 'none'),
      flag('sample.prompt', 'true'),
      flag('data.files', 'one.txt'),
    ])
    expect(config.model).toMatchObject({
      ...{ tokenShift: 'none', learnTemperature: false, softcap: null },
      layers: [[{ attention: 'dot' }]],
    })
    expect(config.sample.prompt).toBe('true')
    expect(config.data.files).toEqual(['one.txt'])
    expect(runSettingsOf(config).train).toMatchObject({
      gradClip: Number.POSITIVE_INFINITY,
      evalTokens: Number.POSITIVE_INFINITY,
    })
  })

  it('takes an optimizer with the options that it has, as flat keys or flags', () => {
    expect(trainOptions(buildConfig(file('train: {optimizer: muon, momentum: 0.8}'), []))).toMatchObject({
      optimizer: { name: 'muon', momentum: 0.8 },
    })
    const flags = [flag('train.optimizer', 'sgd'), flag('train.nesterov', 'true')]
    expect(trainOptions(buildConfig(undefined, flags)).optimizer).toEqual({ name: 'sgd', nesterov: true })
  })

  it('reads the keys of AdamW from before there was a choice', () => {
    const config = buildConfig(file('train: {beta1: 0.8, beta2: 0.9, eps: 1e-7}'), [])
    expect(trainOptions(config).optimizer).toEqual({ name: 'adamw', beta1: 0.8, beta2: 0.9, eps: 1e-7 })
  })

  it.each([
    [
      'train: {momentum: 0.5}',
      'config train.momentum: must be left out with train.optimizer adamw, got 0.5; remove it, or choose muon or sgd',
    ],
    [
      'train: {optimizer: lion}',
      'config train.optimizer: must be one of adamw, muon, sgd, got "lion" (run.yaml line 1)',
    ],
    [
      'train: {optimizer: sgd, momentum: 1}',
      'config train.momentum: must be a number of at least 0 and less than 1, got 1 (run.yaml line 1)',
    ],
    [
      'train: {optimizer: muon, nsSteps: 1.5}',
      'config train.nsSteps: must be a whole number of at least 1 and at most 8, got 1.5 (run.yaml line 1)',
    ],
    [
      'train:\n  lrr: 0.1',
      'config train.lrr: unknown key, got 0.1 (run.yaml line 2); did you mean train.lr?',
    ],
    ['lr: 3', 'config lr: unknown key, got 3 (run.yaml line 1); did you mean train.lr?'],
    ['\ntrian: {lr: 3}', 'config trian: unknown key, got {"lr":3} (run.yaml line 2); did you mean train?'],
    [
      'model:\n  batchSize: 3',
      'config model.batchSize: unknown key, got 3 (run.yaml line 2); did you mean train.batchSize?',
    ],
    ['zebra: 1', 'config zebra: unknown key, got 1 (run.yaml line 1); tau train --help lists all keys'],
    ['train: 5', 'config train: must be a section with keys such as train.steps, got 5 (run.yaml line 1)'],
    [
      'train: {steps: many}',
      'config train.steps: must be a whole number of at least 1, got "many" (run.yaml line 1)',
    ],
    [
      'train: {steps: 1.5}',
      'config train.steps: must be a whole number of at least 1, got 1.5 (run.yaml line 1)',
    ],
    ['train: {lr: .inf}', 'config train.lr: must be a number greater than 0, got Infinity (run.yaml line 1)'],
    ['train: {lr: -1}', 'config train.lr: must be a number greater than 0, got -1 (run.yaml line 1)'],
    [
      'data: {files: [a, 3]}',
      'config data.files: must be a list of texts that are not empty, got ["a",3] (run.yaml line 1)',
    ],
    [
      'data: {heldOut: 1}',
      'config data.heldOut: must be a number greater than 0 and less than 1, got 1 (run.yaml line 1)',
    ],
    [
      'model: {attention: linear}',
      'config model.attention: must be one of tau, dot, dot-window, got "linear" (run.yaml line 1)',
    ],
    [
      'model: {outputGate: yes please}',
      'config model.outputGate: must be true or false, got "yes please" (run.yaml line 1)',
    ],
    [
      'model: {softcap: 0}',
      'config model.softcap: must be a number greater than 0, or null, got 0 (run.yaml line 1)',
    ],
    ['model: {nEmbd: 130}', 'config model.nEmbd: must be a multiple of nHead = 4, got 130; use 132'],
    ['train: {minLr: 1}', 'config train.minLr: must be between 0 and lr = 0.003, got 1'],
    [
      '{"__proto__": {"lr": 1}}',
      'config __proto__: unknown key, got {"lr":1} (run.yaml line 1); tau train --help lists all keys',
    ],
  ])('%j → %s', (text, message) => {
    expect(messageOf(() => buildConfig(file(text), []))).toBe(message)
  })

  it('names the flag, and reports all problems at once', () => {
    const message = messageOf(() =>
      buildConfig(file('train:\n  stps: 2'), [flag('train.lr', 'fast'), flag('model.nHead', '')]),
    )
    expect(message.split('\n').sort()).toEqual([
      'config model.nHead: must be a whole number of at least 1 and at most 65536, got "" (--model.nHead)',
      'config train.lr: must be a number greater than 0, got "fast" (--train.lr)',
      'config train.stps: unknown key, got 2 (run.yaml line 2); did you mean train.steps?',
    ])
  })
})

describe('readConfigFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tau-config-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const written = (content: string | Uint8Array) => {
    const path = join(folder, 'c.yaml')
    writeFileSync(path, content)
    return path
  }

  it.each<[string, string | Uint8Array, RegExp]>([
    ['not YAML', 'train:\n  lr: [1', /c\.yaml must be YAML or JSON, got ".*" at line \d+, column \d+/],
    ['one key twice', 'train: 1\ntrain: 2', /must be YAML or JSON, got "Map keys must be unique" at line 2/],
    ['a list', '- 1', /must hold sections like "train:", got \[1\]/],
    ['other bytes', Uint8Array.of(0x61, 0xff, 0x3a), /must be UTF-8/],
    ['a huge file', 'x'.repeat(2 ** 20 + 1), /at most 1048576 bytes, got 1048577/],
  ])('refuses %s', async (_, content, message) => {
    await expect(readConfigFile(written(content))).rejects.toThrow(message)
    await expect(readConfigFile(written(content))).rejects.toBeInstanceOf(UsageError)
  })

  it('refuses what is missing or a folder, and references that explode', async () => {
    await expect(readConfigFile(join(folder, 'none.yaml'))).rejects.toThrow(
      /none\.yaml must be readable, got ENOENT/,
    )
    await expect(readConfigFile(folder)).rejects.toThrow(/must be a file, got a directory/)
    const bomb = `a: &a [${'1,'.repeat(9)}]\n${Array.from('bcdefghi', (c, i) => `${c}: &${c} [${`*${'abcdefghi'[i]},`.repeat(9)}]`).join('\n')}`
    await expect(readConfigFile(written(bomb))).rejects.toThrow(/must be YAML or JSON.*alias/i)
  })
})

describe('configYaml', () => {
  it('reads back as the same configuration, with presets and sizes written out', () => {
    const config = buildConfig(
      file('model: {size: tau-30m, preset: paper, nKvHead: 2}\nsample: {prompt: "a: b\\n\\"#"}'),
      [],
    )
    const text = configYaml(config)
    const again = buildConfig(file(text), [])
    expect(expandConfig(again)).toEqual(expandConfig(config))
    expect(again.model).toMatchObject({ nLayer: 6, temperature: 1, decay: 'none', nKvHead: 2 })
    expect(again.tokenizer.vocabSize).toBe(30_522)
    expect(text).toContain('lr: 0.003 # Peak learning rate')
    expect(again.train).toMatchObject({ optimizer: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 })
    expect(again.train).not.toHaveProperty('momentum')
  })
})

describe('configSections', () => {
  it('describes every field, with distinct flags and the model package’s defaults', () => {
    for (const field of fields) expect(field.description, field.path).not.toBe('')
    const flags = fields.flatMap((field) => field.flags)
    expect(new Set(flags).size).toBe(flags.length)
    const field = (path: string) => fields.find((one) => one.path === path)
    expect(field('train.lr')).toMatchObject({
      flags: ['lr', 'train.lr'],
      defaultText: '0.003',
      kind: 'number',
    })
    expect(field('train.eps')).toMatchObject({ flags: ['train.eps'] })
    expect(field('train.momentum')).toMatchObject({
      flags: ['momentum', 'train.momentum'],
      defaultText: '0.95 with muon, 0.9 with sgd',
    })
    expect(field('model.temperature')).toMatchObject({ flags: ['model.temperature'], defaultText: '0.05' })
    expect(field('data.files')).toMatchObject({ flags: ['data', 'data.files'], kind: 'list' })
    expect(field('out')).toMatchObject({ flags: ['out'], section: '' })
    expect(field('model.softcap')).toMatchObject({
      isNullable: true,
      rule: 'a number greater than 0, or null',
    })
  })
})

describe('nearest', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['same', 'same', 0],
  ])('%s and %s differ by %i edits', (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits)
    expect(editDistance(b, a)).toBe(edits)
  })

  it('prefers the own section, and gives nothing when nothing is near', () => {
    expect(nearest('train.ep', ['model.eps', 'train.eps'])).toBe('train.eps')
    expect(nearest('zebra', ['train.lr', 'model.nHead'])).toBeUndefined()
  })
})
