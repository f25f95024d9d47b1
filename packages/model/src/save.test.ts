import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readManifold, writeManifold } from '@tau/graph'
import { cpu, type Device } from '@tau/tensor'
import { decodeSafetensors, encodeSafetensors, type NamedArray } from '@tau/tensor/files'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ModelOptions } from './config/config.ts'
import type { GPT } from './gpt.ts'
import { encodeModel, loadModel, MODEL_FILES, saveModel } from './save.ts'
import { parameterValues, randomIds, randomLaplacian, tausOf, tiny, tinyModel } from './testing.ts'

let device: Device
let dir = ''
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'tau-model-')), 'model')
})
afterEach(() => rm(join(dir, '..'), { recursive: true }))

const logitsOf = (model: GPT): Promise<Float32Array> => {
  using _scope = device.scope()
  return model.forward(model.tokens(randomIds(2 * 11, tiny.vocabSize), 2)).data()
}

/** Every file's bytes, by name. */
async function contents(folder = dir): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort()
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, (await readFile(join(folder, name))).toString('base64')] as const),
    ),
  )
}

describe('a saved model', () => {
  it.for<[string, ModelOptions]>([
    ['tau default', {}],
    ['tau paper with calibrated τ', { preset: 'paper', tauMode: 'adaptive', tauPolicy: 'percentile:0.75' }],
    ['tau, plain scales, constant decay', { positiveAs: 'plain', decay: 'constant', softcap: null }],
    ['tau of each vector', { preset: 'paper', tauMode: 'reference-median' }],
    ['dot', { attention: 'dot' }],
    ['dot with LayerNorm', { attention: 'dot', preset: 'paper', qkLayerNorm: true }],
  ])('%s comes back bit for bit', async ([, options]) => {
    using model = await tinyModel(device, options)
    model.attention.forEach(({ groups }, i) => {
      const { state } = groups[0].attention
      if (state) state.tau = 1 / 3 + i // not exact in f32, one for each layer
    })
    await saveModel(model, dir)
    const manifold = options.attention === 'dot' ? [] : ['manifold.json', 'manifold.parquet']
    expect((await readdir(dir)).sort()).toEqual(['config.json', ...manifold, 'model.safetensors'])
    using loaded = await loadModel(device, dir)
    expect(loaded.config).toEqual(model.config)
    expect(tausOf(loaded)).toEqual(options.attention === 'dot' ? [undefined, undefined] : [1 / 3, 4 / 3])
    expect(Array.from(loaded.parameters.keys())).toEqual(Array.from(model.parameters.keys()))
    expect(await parameterValues(loaded.parameters)).toEqual(await parameterValues(model.parameters))
    expect(loaded.laplacian?.csr).toEqual(model.laplacian?.csr)
    expect(await logitsOf(loaded)).toEqual(await logitsOf(model))
    expect(await encodeModel(loaded)).toEqual(await encodeModel(model))
  })

  it('is a safetensors file that says what it is', async () => {
    using model = await tinyModel(device, { preset: 'paper' })
    const { tensors, metadata } = decodeSafetensors(await encodeModel(model))
    expect(metadata).toEqual({ format: 'tau', tau: '[1,1]' })
    expect(tensors.get('blocks.1.attn.c_k.weight')?.shape).toEqual([30, 12])
  })

  it('replaces the one that was there, of whatever kind, and leaves other files', async () => {
    await mkdir(dir)
    await writeFile(join(dir, 'notes.txt'), 'mine')
    using first = await tinyModel(device, { nLayer: 3 })
    await saveModel(first, dir)
    using second = await tinyModel(device, { manifoldDim: 14 }, { seed: 6 })
    await saveModel(second, dir)
    using loaded = await loadModel(device, dir)
    expect(await logitsOf(loaded)).toEqual(await logitsOf(second))
    expect(await readFile(join(dir, 'notes.txt'), 'utf8')).toBe('mine')
    using dot = await tinyModel(device, { attention: 'dot' })
    await saveModel(dot, dir)
    using loadedDot = await loadModel(device, dir)
    expect(await logitsOf(loadedDot)).toEqual(await logitsOf(dot))
    expect((await readdir(dir)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('says where its Laplacian comes from, as far as it is told', async () => {
    using model = await tinyModel(device)
    await saveModel(model, dir)
    expect((await readManifold(dir)).metadata).toMatchObject({ name_id: 'domain', n_rows: 10, n_cols: 10 })
    const origin = { nameId: 'whales', source: { rows: 211, cols: 37 }, config: { lambda_k: { Usize: 3 } } }
    await saveModel(model, dir, { origin })
    expect((await readManifold(dir)).metadata).toMatchObject({
      name_id: 'whales',
      n_rows: 211,
      n_cols: 37,
      builder_config: origin.config,
    })
  })

  it('outlives the scope it was loaded in and frees all its memory', async () => {
    using model = await tinyModel(device)
    await saveModel(model, dir)
    const before = device.memory
    const loaded = await loadModel(device, dir)
    expect(device.memory.liveBuffers).toBeGreaterThan(before.liveBuffers)
    loaded[Symbol.dispose]()
    expect(device.memory).toEqual(before)
  })

  it('has the configuration’s τ in every layer when the file names none', async () => {
    using model = await tinyModel(device, { preset: 'paper', tau: 0.75 })
    await saveModel(model, dir)
    const path = join(dir, MODEL_FILES.weights)
    await writeFile(path, encodeSafetensors(decodeSafetensors(await readFile(path)).tensors))
    using loaded = await loadModel(device, dir)
    expect(tausOf(loaded)).toEqual([0.75, 0.75])
  })
})

describe('a model that cannot be loaded', () => {
  beforeEach(async () => {
    using model = await tinyModel(device)
    await saveModel(model, dir)
  })
  const weights = () => join(dir, MODEL_FILES.weights)
  const config = () => join(dir, MODEL_FILES.config)
  const manifold = () => join(dir, MODEL_FILES.manifold)

  async function rewrite(
    change: (tensors: Map<string, NamedArray>, metadata: Record<string, string>) => void,
  ): Promise<void> {
    const file = decodeSafetensors(await readFile(weights()))
    const tensors = new Map(file.tensors)
    const metadata = { ...file.metadata }
    change(tensors, metadata)
    await writeFile(weights(), encodeSafetensors(tensors, metadata))
  }
  async function patchConfig(fields: Record<string, unknown>): Promise<void> {
    const json = JSON.parse(await readFile(config(), 'utf8'))
    await writeFile(config(), JSON.stringify({ ...json, ...fields }))
  }
  /** Other bytes of the same length inside the safetensors header. */
  async function patchHeader(from: string, to: string): Promise<void> {
    const bytes = await readFile(weights())
    const at = bytes.indexOf(from)
    expect(at).toBeGreaterThan(0)
    bytes.write(to.padEnd(from.length), at)
    await writeFile(weights(), bytes)
  }

  const name = 'blocks.1.attn.c_k.weight'
  it.for<[string, () => Promise<unknown>, RegExp]>([
    ['no directory', () => rm(dir, { recursive: true }), /config\.json must be readable, got ENOENT/],
    ['no configuration', () => rm(config()), /^loadModel: .*config\.json must be readable, got ENOENT/],
    ['no weights', () => rm(weights()), /^loadModel: .*model\.safetensors must be readable, got ENOENT/],
    ['no manifold', () => rm(manifold()), /manifold\.parquet must be .*ENOENT/],
    ['an empty configuration', () => truncate(config(), 0), /config\.json must not be empty, got 0 bytes/],
    ['half a configuration', () => truncate(config(), 99), /config\.json: must be JSON, got/],
    [
      'a configuration in another encoding',
      () => writeFile(config(), Uint8Array.of(0x7b, 0xff, 0xfe)),
      /config\.json must be UTF-8, got bytes ff fe at offset 1/,
    ],
    [
      'a configuration that goes on',
      () => writeFile(config(), ' '.repeat(2 ** 20 + 1)),
      /config\.json must have at most 1048576 bytes, got 1048577/,
    ],
    [
      'an unknown field',
      () => patchConfig({ n_heads: 6 }),
      /config\.json: n_heads is not a field of the model, got 6/,
    ],
    [
      'a field of another type',
      () => patchConfig({ n_layer: true }),
      /config\.json: config: nLayer must be a whole number from 1 to 1024, got true/,
    ],
    [
      'heads that do not divide',
      () => patchConfig({ n_head: 5 }),
      /config\.json: config: nEmbd must be a multiple of nHead = 5, got 12/,
    ],
    [
      'sizes beyond any machine',
      () => patchConfig({ n_layer: 2 ** 40 }),
      /nLayer must be a whole number from 1 to 1024, got 1099511627776/,
    ],
    [
      'sizes beyond this file',
      () => patchConfig({ vocab_size: 2 ** 24 }),
      /wte\.weight must be \[16777216, 12\], got \[23, 12\]; use weights and config\.json of the same model/,
    ],
    [
      'an empty weight file',
      () => truncate(weights(), 0),
      /model\.safetensors: a safetensors file must have at least 8 bytes, got 0/,
    ],
    [
      'weights cut short',
      () => truncate(weights(), 9001),
      /model\.safetensors: data of .* must be the .* bytes .* inside the file's/,
    ],
    [
      'weights cut by a byte',
      async () => truncate(weights(), (await stat(weights())).size - 1),
      /model\.safetensors: data of/,
    ],
    [
      'a header cut short',
      () => truncate(weights(), 500),
      /model\.safetensors: header must fit in the file's 500 bytes, got a header of/,
    ],
    [
      'a header that lies of a shape',
      () => patchHeader('[23,12]', '[23,13]'),
      /data of "wte\.weight" must be the 1196 bytes of F32 \[23, 13\]/,
    ],
    [
      'a header that claims all memory',
      () => patchHeader('[23,12]', '[9e9,9]'),
      /data of "wte\.weight" must be the 324000000000 bytes/,
    ],
    [
      'a header of another type',
      () => patchHeader('"F32"', '"F31"'),
      /dtype of .* must be one of .*F32.*, got "F31"/,
    ],
    [
      'whole numbers for weights',
      () => rewrite((all) => all.set(name, { shape: [30, 12], data: new Int32Array(360) })),
      /c_k\.weight must be F32, F16 or BF16, got a Int32Array/,
    ],
    [
      'a parameter too few',
      () => rewrite((all) => all.delete(name)),
      /model\.safetensors: must hold the tensor blocks\.1\.attn\.c_k\.weight that config\.json needs, got no such tensor/,
    ],
    [
      'a parameter too many',
      () => rewrite((all) => all.set('extra', { shape: [2], data: new Float32Array(2) })),
      /must only hold the parameters of its config\.json, got also extra/,
    ],
    [
      'a parameter turned over',
      () => rewrite((all) => all.set(name, { shape: [12, 30], data: new Float32Array(360) })),
      /c_k\.weight must be \[30, 12\], got \[12, 30\]; use weights and config\.json of the same model/,
    ],
    [
      'the switches of another model',
      () => patchConfig({ output_gate: false }),
      /got also blocks\.0\.attn\.c_g\.weight/,
    ],
    [
      'the manifold of another model',
      () =>
        writeManifold(dir, {
          laplacian: randomLaplacian(14),
          nameId: 'domain',
          source: { rows: 14, cols: 14 },
        }),
      /must be \[10, 10\], got \[14, 14\]/,
    ],
    [
      'a manifold cut short',
      () => truncate(manifold(), 100),
      /manifold\.parquet: a parquet file must start and end with PAR1/,
    ],
    [
      'a manifold that its manifold.json does not know',
      async () => {
        const bytes = await readFile(manifold())
        await writeManifold(dir, {
          laplacian: randomLaplacian(10, 4),
          nameId: 'domain',
          source: { rows: 10, cols: 10 },
        })
        await writeFile(manifold(), bytes)
      },
      /manifold\.parquet must agree with manifold\.json, got (size_bytes|nnz|sha256)/,
    ],
    [
      'τ for too few layers',
      () =>
        rewrite((_, metadata) => {
          metadata.tau = '[1]'
        }),
      /metadata tau must be 2 positive numbers, one per layer, got \[1\]/,
    ],
    [
      'a τ below 0',
      () =>
        rewrite((_, metadata) => {
          metadata.tau = '[1,-2]'
        }),
      /metadata tau must be 2 positive numbers, one per layer, got \[1,-2\]/,
    ],
    [
      'a τ as text',
      () =>
        rewrite((_, metadata) => {
          metadata.tau = '[1,"2"]'
        }),
      /metadata tau must be 2 positive numbers, one per layer, got \[1,"2"\]/,
    ],
    [
      'a τ beyond f64',
      () =>
        rewrite((_, metadata) => {
          metadata.tau = '[1,1e999]'
        }),
      /metadata tau must be 2 positive numbers/,
    ],
    [
      'τ that is not JSON',
      () =>
        rewrite((_, metadata) => {
          metadata.tau = '1, 2'
        }),
      /metadata tau must be 2 positive numbers, one per layer, got 1, 2/,
    ],
  ])('for %s says so and keeps no memory', async ([, damage, message]) => {
    await damage()
    const before = device.memory
    await expect(loadModel(device, dir)).rejects.toThrow(message)
    expect(device.memory).toEqual(before)
  })

  it('is whole again when the damage is undone', async () => {
    await patchConfig({ n_layer: 3 })
    await expect(loadModel(device, dir)).rejects.toThrow(
      'must hold the tensor blocks.2.attn.c_q.weight that config.json needs',
    )
    await patchConfig({ n_layer: 2 })
    using loaded = await loadModel(device, dir)
    expect(loaded.config.nLayer).toBe(2)
  })
})

describe('a disk that is full while saving', () => {
  // Runs the sources as they are: needs a Node that takes types and `using`.
  const canRunSources = Number(process.versions.node.split('.')[0]) >= 24

  it.skipIf(!canRunSources)('leaves the model that was there, all of its files', async () => {
    using old = await tinyModel(device)
    await saveModel(old, dir)
    const before = await contents()
    // The kernel itself refuses files beyond 64 blocks of 512 or 1024 bytes: config and manifold would fit,
    // the weights of another model, with another manifold, do not.
    const script = `
      import { cpu } from '@tau/tensor'
      import { createModel } from ${JSON.stringify(new URL('./create.ts', import.meta.url))}
      import { saveModel } from ${JSON.stringify(new URL('./save.ts', import.meta.url))}
      const laplacian = { nRows: 4, nCols: 4, indptr: [0, 2, 4, 4, 4], indices: [0, 1, 0, 1], values: [1, -1, -1, 1] }
      const typed = { ...laplacian, indptr: Int32Array.from(laplacian.indptr), indices: Int32Array.from(laplacian.indices), values: Float64Array.from(laplacian.values) }
      const device = await cpu({ threads: 1 })
      const model = createModel(device, { vocabSize: 997, nEmbd: 24, manifoldDim: 4 }, { laplacian: typed })
      try {
        await saveModel(model, process.argv[1])
        console.log(JSON.stringify({ message: 'saved' }))
      } catch (error) {
        console.log(JSON.stringify({ message: error.message, code: error.cause?.code }))
      }`
    const node = [process.execPath, '--no-warnings', '--conditions=source', '--input-type=module']
    const run = async (blocks: string) => {
      const limited = ['-c', `ulimit -f ${blocks} && exec "$@"`, 'sh', ...node, '-e', script, dir]
      const { stdout } = await promisify(execFile)('/bin/sh', limited, { cwd: new URL('.', import.meta.url) })
      return JSON.parse(stdout)
    }
    const { message, code } = await run('64')
    expect(code).toBe('EFBIG')
    expect(message).toMatch(
      /^save: .*model\.safetensors must be written completely, got EFBIG: .* after (32768|65536) bytes/,
    )
    expect(message).toContain('no file was changed')
    expect(await contents()).toEqual(before)
    using loaded = await loadModel(device, dir)
    expect(await logitsOf(loaded)).toEqual(await logitsOf(old))

    // The same script with room enough replaces everything: it was the limit that stopped it.
    expect(await run('unlimited')).toEqual({ message: 'saved' })
    const { laplacian } = await readManifold(dir)
    expect(laplacian.nRows).toBe(4)
  })
})
