import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { cpu, Random } from '@tau/tensor'
import { readMetrics, trainText } from '@tau/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TINY, tau, workFolder } from './testing.ts'

let folder: string
let text: string
let run: string
const path = (name: string) => join(folder, name)

/** Flags of a run of four steps. */
const baseRun = (out: string): string[] => [
  ...['train', '--data', text, '--out', out, '--steps', '4'],
  ...['--eval-every', '2', '--heads-every', '2', '--sample-every', '2'],
  ...TINY,
]

beforeAll(async () => {
  ;({ folder, text } = await workFolder())
  run = path('runs/base')
  const outcome = await tau(baseRun(run))
  expect(outcome.stderr).not.toContain('tau:')
  expect(outcome.code).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('tau train', () => {
  it('writes a whole run and says the validation loss', async () => {
    expect(readdirSync(run).sort()).toEqual([
      'checkpoints',
      'config.json',
      'manifold.json',
      'manifold.parquet',
      'metrics.jsonl',
      'model.safetensors',
      'report.html',
      'run.yaml',
      'tokenizer.json',
    ])
    const records = await readMetrics(join(run, 'metrics.jsonl'))
    expect(records[0]).toMatchObject({
      kind: 'run',
      device: { backend: 'cpu', threads: 1 },
      config: {
        model: { attention: 'tau', preset: 'default', nEmbd: 12, vocabSize: 307 },
        train: { steps: 4 },
      },
    })
    expect(records.filter((record) => record.kind === 'step').map((record) => record.step)).toEqual([
      1, 2, 3, 4,
    ])
    expect(records.at(-1)).toMatchObject({ kind: 'end', reason: 'finished', step: 4 })
    expect(JSON.parse(readFileSync(join(run, 'manifold.json'), 'utf8'))).toMatchObject({
      builder_config: { tau_width: { Usize: 17 } },
    })
  })

  it('is quiet where there is no terminal, and gives the same run for the same seed', async () => {
    const { stdout, stderr } = await tau(baseRun(path('runs/again')))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(stderr).not.toMatch(/[\r\x1b]/)
    expect(stderr.match(/^step .*$/gm)).toEqual([
      expect.stringMatching(/^step 0\/4 · val \d\.\d{3} · \d\.\d{3} bits\/byte$/),
      expect.stringMatching(/^step 2\/4 · loss .* left · \d\.\d{3} bits\/byte$/),
      expect.stringMatching(/^step 4\/4 · loss .* 0:00 left · \d\.\d{3} bits\/byte$/),
    ])
    expect(stdout).toMatch(/^step 4: validation loss \d\.\d{4} nats per token, \d\.\d{4} bits per byte\n$/)
    expect(
      readFileSync(path('runs/again/model.safetensors')).equals(readFileSync(join(run, 'model.safetensors'))),
    ).toBe(true)
  })

  it('saves on Ctrl-C with code 130; --resume then ends where an uninterrupted run ends, bit for bit', async () => {
    const out = path('runs/stopped')
    const outcome = await tau(
      ['train', '--data', text, '--out', out, '--steps', '4', '--eval-every', '1', ...TINY],
      (line, abort) => {
        if (line.startsWith('step 2/4')) abort()
      },
    )
    expect(outcome.code).toBe(130)
    expect(outcome.stderr).toContain(
      `interrupted at step 2 and saved; continue with: npm run tau -- train --resume --out ${out}`,
    )
    expect(readdirSync(join(out, 'checkpoints')).sort()).toEqual(['latest.json', 'step-2'])
    expect(readFileSync(join(out, 'report.html'), 'utf8').includes('interrupted, can be resumed')).toBe(true)
    const resumed = await tau(['train', '--resume', '--out', out])
    expect(resumed.stderr).toContain('resuming at step 2 of 4')
    expect(resumed.code).toBe(0)
    expect(
      readFileSync(join(out, 'model.safetensors')).equals(readFileSync(join(run, 'model.safetensors'))),
    ).toBe(true)
    const records = await readMetrics(join(out, 'metrics.jsonl'))
    expect(records.filter((record) => record.kind === 'step').map((record) => record.step)).toEqual([
      1, 2, 3, 4,
    ])
    // Both end records stay, because the report adds up their times.
    const ends = records.filter((record) => record.kind === 'end')
    expect(ends.map(({ step, reason }) => [step, reason])).toEqual([
      [2, 'interrupted'],
      [4, 'finished'],
    ])
    expect(JSON.parse(readFileSync(join(out, 'manifold.json'), 'utf8'))).toMatchObject({
      builder_config: { tau_width: { Usize: 17 } },
    })
  })

  it('reads a configuration file, prints the merged one, and takes it back', async () => {
    writeFileSync(
      path('config.yaml'),
      `data: {files: [${text}]}\ntrain: {steps: 1, lr: 0.01}\nout: ${path('runs/yaml')}\n`,
    )
    const printed = await tau([
      'train',
      '--config',
      path('config.yaml'),
      '--lr',
      '0.02',
      '--print-config',
      ...TINY,
    ])
    expect(printed.stdout).toMatch(/lr: 0\.02 # Peak learning rate/)
    expect(printed.stdout).toContain('nEmbd: 12')
    expect(existsSync(path('runs/yaml'))).toBe(false)
    writeFileSync(path('printed.yaml'), printed.stdout)
    expect((await tau(['train', '--config', path('printed.yaml')])).code).toBe(0)
    expect(
      (await readMetrics(path('runs/yaml/metrics.jsonl'))).find((record) => record.kind === 'step'),
    ).toMatchObject({ step: 1 })
  })

  it('trains the dot-product baseline and the paper preset, and the report says which is which', async () => {
    const report = async (name: string, flags: readonly string[]) => {
      const out = path(`runs/${name}`)
      const { code } = await tau(['train', '--data', text, '--out', out, '--steps', '1', ...flags, ...TINY])
      expect(code).toBe(0)
      return readFileSync(join(out, 'report.html'), 'utf8').match(/<h1>(.*?)<\/h1>/)?.[1]
    }
    expect(await report('dot', ['--attention', 'dot'])).toBe('GPT, default preset')
    expect(existsSync(path('runs/dot/manifold.parquet'))).toBe(false)
    expect(await report('paper', ['--preset', 'paper'])).toBe('TauGPT, paper preset')
  })

  it('stops with the step and a report when the loss is no longer finite', async () => {
    const out = path('runs/diverged')
    const flags = [
      '--lr',
      '1e30',
      '--grad-clip',
      'none',
      '--warmup',
      '0',
      '--steps',
      '9',
      '--checkpoint-every',
      '1',
      ...TINY,
    ]
    const { code, stderr } = await tau(['train', '--data', text, '--out', out, ...flags])
    expect(code).toBe(1)
    expect(stderr).toMatch(/tau: train: step \d must have a finite loss and gradient, got /)
    expect(readFileSync(join(out, 'report.html'), 'utf8').includes('>diverged')).toBe(true)
  })
})

describe('the folder of a run', () => {
  it('may hold what the run is built from', async () => {
    const out = path('runs/with-tokenizer')
    mkdirSync(out)
    copyFileSync(join(run, 'tokenizer.json'), join(out, 'tokenizer.json'))
    const tiny = TINY.filter((_, i) => TINY[i] !== '--vocab-size' && TINY[i - 1] !== '--vocab-size')
    const { code, stderr } = await tau([
      ...['train', '--data', text, '--out', out, '--tokenizer', join(out, 'tokenizer.json')],
      ...['--steps', '1', ...tiny],
    ])
    expect([code, stderr]).toEqual([0, expect.stringContaining('tokenizer: 307 tokens, read')])
    expect(readFileSync(join(out, 'run.yaml'), 'utf8')).not.toContain('vocabSize')
  })

  it('keeps its run when --overwrite comes to nothing, and loses all of it, the model too, when it works', async () => {
    const out = path('runs/replaced')
    const train = (...args: string[]) => tau(['train', '--out', out, '--steps', '1', ...TINY, ...args])
    expect((await train('--data', text)).code).toBe(0)
    writeFileSync(join(out, 'notes.txt'), 'mine')
    const before = readdirSync(out).sort()
    expect(before).toContain('manifold.parquet')
    expect((await train('--overwrite', '--data', path('none.txt'))).code).toBe(1)
    expect(readdirSync(out).sort()).toEqual(before)
    expect((await train('--overwrite', '--data', text, '--attention', 'dot')).code).toBe(0)
    expect(readdirSync(out).sort()).toEqual(before.filter((name) => !name.startsWith('manifold.')))
  })
})

describe('tau eval, generate, info, report', () => {
  it('evaluates the held-out text of the run, or another text', async () => {
    const own = JSON.parse((await tau(['eval', run, '--json', '--threads', '1'])).stdout)
    const records = await readMetrics(join(run, 'metrics.jsonl'))
    expect(own.tokens).toBeGreaterThan(100)
    expect(own.nats).toBeLessThan(Math.log(307))
    expect(own.bitsPerByte).toBeCloseTo(
      own.nats / Math.LN2 / (records[0].kind === 'run' ? records[0].bytesPerToken : 0),
      6,
    )
    const { code, stdout } = await tau(['eval', run, '--data', text, '--tokens', '200', '--threads', '1'])
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^loss +\d\.\d{4} nats per token\n.*bits per byte\nperplexity .*\ntokens +\d+\n$/,
      ),
    ])
  })

  it('generates the same text for the same seed', async () => {
    const generate = (seed: string) =>
      tau(['generate', run, 'The whale', '--tokens', '12', '--seed', seed, '--threads', '1'])
    const first = await generate('1')
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^The whale./)
    expect((await generate('1')).stdout).toBe(first.stdout)
    expect((await generate('2')).stdout).not.toBe(first.stdout)
    // An error must not leave half a text.
    expect((await tau(['generate', run, 'The whale', '--top-p', '2', '--threads', '1'])).stdout).toBe('')
    expect((await tau(['generate', run, 'The whale', '--tokens', '0', '--threads', '1'])).stdout).toBe(
      'The whale\n',
    )
  })

  it('generates beyond the context with a bounded cache', async () => {
    const prompt = 'The whale, the whale, the great white whale of the sea'
    const bounded = ['generate', run, prompt, '--tokens', '30', '--threads', '1', '--cache', 'bounded']
    const { code, stdout } = await tau([...bounded, '--bins', '64'])
    expect([code, stdout.startsWith(prompt)]).toEqual([0, true])
    expect(stdout.length).toBeGreaterThan(prompt.length + 10)
    expect((await tau([...bounded, '--bins', '64'])).stdout).toBe(stdout)
    expect((await tau(bounded)).code).toBe(0)
    expect((await tau(['generate', '--help'])).stdout).toMatch(/--cache <kind>[\s\S]*--bins <number>/)
  })

  it('describes machine and model, and writes the report again', async () => {
    expect((await tau(['info'])).stdout).toMatch(/^tau +\d[\s\S]*device +cpu, /)
    const { stdout } = await tau(['info', run])
    for (const row of [
      /^parameters +[\d,]+$/m,
      /^nEmbd +12$/m,
      /^manifoldDim +6$/m,
      /^tokenizer +307 tokens$/m,
      /^run +4 steps, finished$/m,
    ])
      expect(stdout).toMatch(row)
    const { stdout: report } = await tau(['report', run, '--out', path('other.html')])
    expect(readFileSync(report.trim(), 'utf8')).toBe(readFileSync(join(run, 'report.html'), 'utf8'))
  })
})

describe('tau manifold, tokenizer, prepare', () => {
  it('build a manifold from an embeddings file by its settings, or stop and write nothing', async () => {
    const [file, out] = [path('embeddings.jsonl'), path('of-embeddings')]
    const random = new Random(1)
    const row = () => JSON.stringify(Array.from({ length: 9 }, () => random.gaussian()))
    writeFileSync(file, Array.from({ length: 200 }, row).join('\n'))
    const build = ['manifold', 'build', '--embeddings', file, '--dim', '6', '--out', out, '--threads', '2']
    const stopped = await tau([...build, '--blas', '/no/such/library'], (text, abort) => {
      if (text.startsWith('fallback: ')) abort()
    })
    expect([stopped.code, existsSync(out)]).toEqual([130, false])
    expect(stopped.stderr).toContain('interrupted: nothing was written')
    const settings = ['--manifold.sample', '0.9', '--manifold.clusters', '40', '--manifold.memory', '32']
    const built = await tau([
      ...build,
      ...settings,
      '--manifold.tau',
      'mean',
      '--manifold.reduce',
      'rotated-pca',
    ])
    expect([built.code, built.stdout.trim()]).toEqual([0, out])
    expect(built.stderr).toMatch(
      /200 embeddings of width 9 from .*embeddings\.jsonl, in 40 clusters → 6 features with [\d.]+ % of the energy, joined by \d+ edges \(k 2, σ [\d.]+, τ [\d.]+\)/,
    )
    expect(JSON.parse(readFileSync(join(out, 'manifold.json'), 'utf8'))).toMatchObject({
      n_rows: 200,
      n_cols: 9,
      builder_config: {
        sampling: { OptionSamplerType: { Simple: 0.9 } },
        cluster_max_clusters: { OptionUsize: 40 },
        synthesis: { TauMode: 'Mean' },
      },
    })
    const empty = await tau([...build, '--overwrite', '--manifold.eps', '1e-9'])
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringContaining('raise eps or leave it out')])
  })

  it('build their files, which a training then takes', async () => {
    const [manifold, tokenizer, tokens, out] = ['manifold', 'tok.json', 'tokens', 'runs/prepared'].map(path)
    await tau([
      'manifold',
      'build',
      '--data',
      text,
      '--dim',
      '6',
      '--manifold.width',
      '17',
      '--out',
      manifold,
    ])
    const inspected = await tau(['manifold', 'inspect', manifold])
    expect([inspected.code, inspected.stdout]).toEqual([
      0,
      expect.stringMatching(
        /size +6 × 6[\s\S]*density[\s\S]*eigengap +\S+ after [\s\S]*a Laplacian that a model can use/,
      ),
    ])
    const page = join(manifold, 'inspect.html')
    expect(inspected.stderr).toContain(`page: ${page}`)
    expect(readFileSync(page, 'utf8').match(/<circle class=/g)).toHaveLength(6)
    rmSync(page)
    const json = await tau(['manifold', 'inspect', manifold, '--json', '--no-html'])
    expect([JSON.parse(json.stdout), existsSync(page)]).toMatchObject([
      { verdict: { ok: true, size: [6, 6] }, spectrum: { isWhole: true, values: { length: 6 } } },
      false,
    ])
    expect(
      (await tau(['tokenizer', 'train', '--data', text, '--vocab-size', '307', '--out', tokenizer])).code,
    ).toBe(0)
    expect(readFileSync(tokenizer, 'utf8')).toBe(readFileSync(join(run, 'tokenizer.json'), 'utf8'))
    expect(
      (
        await tau([
          'prepare',
          '--data',
          text,
          '--tokenizer',
          tokenizer,
          '--shard-tokens',
          '5000',
          '--out',
          tokens,
        ])
      ).code,
    ).toBe(0)
    const trained = await tau([
      'train',
      '--data.shards',
      tokens,
      '--manifold',
      manifold,
      '--out',
      out,
      '--steps',
      '4',
      '--eval-every',
      '2',
      ...TINY,
    ])
    expect(trained.code).toBe(0)
    // Tokens, graph and seed are the same, so the model must equal the one from the text.
    expect(
      readFileSync(join(out, 'model.safetensors')).equals(readFileSync(join(run, 'model.safetensors'))),
    ).toBe(true)
    expect((await tau(['eval', out, '--threads', '1'])).code).toBe(0)
  })
})

describe('tau manifold of word vectors', () => {
  it('is built from a text of them, and its page shows the words', async () => {
    const words = path('words.txt')
    const lines = Array.from({ length: 50 }, (_, i) =>
      [`word${i}`, ...Array.from({ length: 8 }, (_, c) => Math.sin(i * (c + 2)).toFixed(4))].join(' '),
    )
    writeFileSync(words, `${lines.join('\n')}\n`)
    const [folder, page] = ['word-manifold', 'words.html'].map(path)
    const flags = ['--embeddings', words, '--dim', '8', '--manifold.reduce', 'none']
    const built = await tau(['manifold', 'build', ...flags, '--out', folder])
    expect([built.code, built.stderr]).toEqual([0, expect.stringContaining('50 embeddings of width 8')])
    const again = await tau(['manifold', 'build', ...flags, '--out', folder])
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^tau: manifold build: .* must not hold a manifold already, got manifold\.json, manifold\.parquet; pass --overwrite/,
      ),
    ])
    expect((await tau(['manifold', 'build', ...flags, '--out', folder, '--overwrite'])).code).toBe(0)
    const { code, stdout } = await tau([
      ...['manifold', 'inspect', join(folder, 'manifold.parquet'), '--embeddings', words, '--html', page],
    ])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/energies of items .* \(50 items\)/)])
    expect(readFileSync(page, 'utf8')).toMatch(/<text [^>]*>word\d+<\/text>/)
    expect(existsSync(join(folder, 'inspect.html'))).toBe(false)
  })
})

describe('a run of a script', () => {
  it('is read, reported and gone on with by the command', async () => {
    const out = path('runs/script')
    const device = await cpu({ threads: 1 })
    const { model } = await trainText(device, readFileSync(text, 'utf8'), {
      out,
      tokenizer: { vocabSize: 307 },
      manifold: { width: 17 },
      model: { nLayer: 1, nHead: 2, nEmbd: 12, seqLen: 11 },
      train: { steps: 2, batchSize: 3, warmup: 1, evalTokens: 100, gradClip: Number.POSITIVE_INFINITY },
      sample: { tokens: 5 },
    })
    model[Symbol.dispose]()
    await device.close()
    const { code, stderr } = await tau(['train', '--resume', '--out', out, '--steps', '3', '--threads', '1'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('resuming at step 2 of 3')])
    expect((await tau(['eval', out, '--threads', '1'])).code).toBe(0)
    expect(existsSync(join(out, 'report.html'))).toBe(true)
  })
})

describe('tau demo', () => {
  it('tells each stage, leaves a run, and ends with three commands', async () => {
    const out = path('runs/demo')
    const { code, stdout, stderr } = await tau([
      'demo',
      '--data',
      text,
      '--steps',
      '2',
      '--out',
      out,
      ...TINY,
    ])
    expect(code).toBe(0)
    for (const stage of ['1. Text:', '2. Tokenizer:', '3. Manifold:', '4. Training:', '5. Done'])
      expect(stderr).toContain(stage)
    expect(stdout).toMatch(
      /^Validation loss: \d\.\d{3} bits per byte \(\d\.\d{3} nats per token\)\nSample: The whale/,
    )
    expect(stdout.match(/^ {2}npm run .*$/gm)).toEqual([
      `  npm run tau -- generate ${out} "Call me Ishmael"`,
      `  npm run tau -- train --resume --out ${out} --steps 4`,
      `  npm run demo -- --attention dot --out ${out}-dot`,
    ])
    expect(existsSync(join(out, 'report.html'))).toBe(true)
    const kept = await tau(['demo', '--data', text, '--steps', '1', '--out', out, ...TINY])
    expect([kept.code, kept.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^tau: out: .*runs\/demo must not hold a run already, got .*; pass .*--overwrite/,
      ),
    ])
    const stopped = await tau(
      ['demo', '--data', text, '--steps', '9', '--eval-every', '1', '--out', out, '--overwrite', ...TINY],
      (line, abort) => line.startsWith('step 1/9') && abort(),
    )
    expect([stopped.code, stopped.stdout]).toEqual([
      130,
      expect.stringContaining(`  npm run tau -- train --resume --out ${out}\n      continue to the end\n`),
    ])
  })

  it('takes the first free folder, and says which, when none is named', async () => {
    const before = process.env.TAU_CWD
    process.env.TAU_CWD = path('home')
    try {
      const demo = () => tau(['demo', '--data', text, '--attention', 'dot', '--steps', '1', ...TINY])
      expect((await demo()).stderr).not.toContain('is not empty')
      for (const name of ['runs/demo-2', 'runs/demo-3']) {
        const { code, stderr, stdout } = await demo()
        expect([code, stderr]).toEqual([
          0,
          expect.stringContaining(`runs/demo is not empty, so this run goes to ${name}.\n`),
        ])
        expect(stdout).toContain(`npm run tau -- generate ${name} `)
        expect(existsSync(path(`home/${name}/report.html`))).toBe(true)
      }
    } finally {
      if (before === undefined) delete process.env.TAU_CWD
      else process.env.TAU_CWD = before
    }
  })
})

describe('bad input', () => {
  const inRuns = (name: string) => ['--out', path(`runs/bad-${name}`)]
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(path(name), content)
    return path(name)
  }
  /** A copy of the model of the base run, with one damaged file. */
  function damaged(name: string, damage: (file: string) => void): string {
    const copy = path(`damaged-${name}`)
    rmSync(copy, { recursive: true, force: true })
    mkdirSync(copy)
    for (const one of readdirSync(run, { withFileTypes: true }))
      if (one.isFile()) copyFileSync(join(run, one.name), join(copy, one.name))
    damage(join(copy, name))
    return copy
  }
  it('info shows the groups of heads of a model that has some', async () => {
    const folder = damaged('config.json', (file) => {
      const config = JSON.parse(readFileSync(file, 'utf8'))
      writeFileSync(file, JSON.stringify({ ...config, layers: [[{ decay: 'none' }]] }))
    })
    expect((await tau(['info', folder])).stdout).toMatch(/^layers +\[\[\{"decay":"none"\}\]\]$/m)
  })

  it.each<[string, () => string[], number, RegExp]>([
    ['an unknown flag', () => ['train', '--lrr', '1'], 2, /unknown option '--lrr'/],
    ['an unknown command', () => ['trian'], 2, /unknown command 'trian'/],
    ['no command', () => [], 2, /Usage: tau/],
    [
      'a flag out of range',
      () => ['train', '--steps', '0'],
      2,
      /config train\.steps: must be a whole number of at least 1, got 0 \(--steps\)/,
    ],
    [
      'a number that is none',
      () => ['generate', run, '--tokens', 'many'],
      2,
      /tokens must be a whole number of at least 0, got many/,
    ],
    ['no text', () => ['train', ...inRuns('a')], 2, /data: there must be a text to read, got no files/],
    [
      'a missing text',
      () => ['train', '--data', path('none.txt'), ...inRuns('b')],
      1,
      /none\.txt must be readable, got ENOENT/,
    ],
    [
      'an empty text',
      () => ['train', '--data', file('empty.txt', ''), ...inRuns('c')],
      1,
      /empty\.txt must not be empty/,
    ],
    [
      'a text in another encoding',
      () => ['train', '--data', file('latin.txt', Uint8Array.of(0x61, 0xe9, 0x62)), ...inRuns('d')],
      1,
      /latin\.txt must be UTF-8, got bytes e9 62 at offset 1/,
    ],
    ['a missing config', () => ['train', '--config', path('none.yaml')], 2, /none\.yaml must be readable/],
    [
      'a config with a wrong key',
      () => ['train', '--config', file('bad.yaml', 'train:\n  lrr: 0.1')],
      2,
      /config train\.lrr: unknown key, got 0\.1 \(bad\.yaml line 2\); did you mean train\.lr\?/,
    ],
    [
      'a width that heads do not divide',
      () => ['train', '--data', text, '--n-embd', '130'],
      2,
      /config model\.nEmbd: must be a multiple of nHead = 4, got 130/,
    ],
    [
      'a manifold of another size',
      () => ['train', '--data', text, '--manifold', run, ...TINY, '--n-embd', '16', ...inRuns('e')],
      1,
      /must be \[8, 8\], got \[6, 6\]/,
    ],
    [
      'a folder that holds a run',
      () => ['train', '--data', text, '--out', run],
      2,
      /must not hold a run already, got .*; pass --resume, --overwrite/,
    ],
    [
      'a resume without a run',
      () => ['train', '--resume', ...inRuns('f')],
      2,
      /must hold a run, got no run\.yaml/,
    ],
    [
      'a resume to where the run has been',
      () => ['train', '--resume', '--out', run, '--steps', '3'],
      2,
      /train\.steps must be at least 4, the steps that are done, got 3; raise --steps/,
    ],
    [
      'a tokenizer with a size to learn',
      () => ['train', '--data', text, '--tokenizer', join(run, 'tokenizer.json'), '--vocab-size', '300'],
      2,
      /tokenizer\.vocabSize: must be left out with tokenizer\.path, .* got 300 and /,
    ],
    ...['eval', 'generate', 'info'].map((command): [string, () => string[], number, RegExp] => [
      `${command} of a folder without a model`,
      () => [command, path('runs')],
      2,
      new RegExp(`${command}: .*runs must hold a model, got no config\\.json there; name the --out folder`),
    ]),
    [
      'a flag that a command has no use for',
      () => ['manifold', 'build', '--manifold', run, '--dim', '6', '--out', path('m')],
      2,
      /unknown option '--manifold'/,
    ],
    [
      'a resume that changes the model',
      () => ['train', '--resume', '--out', run, '--n-layer', '2'],
      2,
      /--n-layer must stay as the run began, got 2/,
    ],
    [
      'shards and files together',
      () => ['train', '--data', text, '--data.shards', 'x', ...inRuns('g')],
      2,
      /files or shards, got both/,
    ],
    [
      'a prompt that is too long',
      () => ['generate', run, 'The whale, the whale, the great white whale of the sea'],
      1,
      /prompt must have at most seqLen = 11 tokens, got \d+/,
    ],
    [
      'a kind of cache that there is not',
      () => ['generate', run, 'x', '--cache', 'loose'],
      2,
      /'loose' is invalid\. Allowed choices are exact, bounded/,
    ],
    [
      'bins without a bounded cache',
      () => ['generate', run, 'x', '--bins', '64'],
      1,
      /bins must be left out of an exact cache, got 64/,
    ],
    [
      'an unknown stop token',
      () => ['generate', run, 'x', '--stop', '<nope>'],
      2,
      /--stop must be a token of the tokenizer, got "<nope>"/,
    ],
    [
      'a short model file',
      () => ['generate', damaged('model.safetensors', (at) => truncateSync(at, 999)), 'x'],
      1,
      /model\.safetensors/,
    ],
    [
      'a short manifold',
      () => ['generate', damaged('manifold.parquet', (at) => truncateSync(at, 99)), 'x'],
      1,
      /manifold/,
    ],
    [
      'a manifold that is not as described',
      () => ['manifold', 'inspect', damaged('manifold.parquet', (at) => truncateSync(at, 99))],
      1,
      /manifold/,
    ],
    [
      'word vectors of unequal width',
      () => [
        ...['manifold', 'build', '--embeddings', file('ragged.txt', 'a 1 2\nb 1\n'), '--dim', '2'],
        ...['--out', path('m')],
      ],
      1,
      /ragged\.txt: word vectors: a line must have a word and 2 numbers like the first line, got 1 numbers on line 2/,
    ],
    [
      'a tokenizer that lies',
      () => ['generate', damaged('tokenizer.json', (at) => writeFileSync(at, '{"model": {}}')), 'x'],
      1,
      /tokenizer\.json/,
    ],
    [
      'a config.json that lies',
      () => ['info', damaged('config.json', (at) => writeFileSync(at, '{"n_layer": "two"}'))],
      1,
      /vocab_size must be there, got no such field/,
    ],
    [
      'metrics that are none',
      () => ['report', damaged('metrics.jsonl', (at) => writeFileSync(at, 'hello\nworld\n'))],
      1,
      /line 1 of .*metrics\.jsonl must be a record, got hello/,
    ],
  ])('%s', async (_, args, code, message) => {
    const outcome = await tau(args())
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringMatching(message)])
    expect(outcome.stderr).not.toMatch(/^ +at /m)
  })

  it('shows where an error comes from with --debug', async () => {
    expect((await tau(['report', path('nowhere'), '--debug'])).stderr).toMatch(/^ +at /m)
  })

  it('reads metrics whose last line was cut off', async () => {
    const cut = damaged('metrics.jsonl', (at) => truncateSync(at, readFileSync(at).length - 20))
    expect((await tau(['report', cut])).code).toBe(0)
    expect(readFileSync(join(cut, 'report.html'), 'utf8').includes('no end record')).toBe(true)
  })
})
