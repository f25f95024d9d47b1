import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { GPT, ModelOptions } from '@tau/model'
import { cpu, type Device } from '@tau/tensor'
import { encodeSafetensors, type FolderPlace, memoryStore, type Store } from '@tau/tensor/files'
import type { Optimizer, OptimizerSettings, OptimizerState } from '@tau/tensor/optim'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TokenBatches } from '../data/batches.ts'
import { modelOptimizer } from '../loop/optimizer.ts'
import { trainStep } from '../loop/step.ts'
import { canRunSources, readAll, tausOf, tiny, tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { latestCheckpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import { decodeOptimizerState } from './optimizer-state.ts'

let device: Device
let directory = ''
let root = ''
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-checkpoint-'))
  root = join(directory, 'checkpoints')
})
afterEach(() => rm(directory, { recursive: true }))

const batches = new TokenBatches({ ids: tinyData().train, seqLen: tiny.seqLen, batchSize: 3, seed: 1 })

/** A model after a few training steps, so moments and parameters are not round numbers. */
class Trained implements Disposable {
  readonly model: GPT
  readonly optimizer: Optimizer

  constructor(options: ModelOptions = {}, optimizer = tinyOptions.optimizer) {
    this.model = tinyModel(device, options)
    this.optimizer = modelOptimizer(this.model, { ...tinyOptions, optimizer })
    this.advance(2)
  }

  advance(steps: number): void {
    for (let i = 0; i < steps; i++) {
      const { loss, norm, grads } = trainStep(
        this.model,
        this.optimizer,
        [batches.batch(this.optimizer.steps)],
        3,
        1e-3,
      )
      for (const tensor of [loss, norm, ...grads]) tensor.dispose()
    }
  }

  get state() {
    const step = this.optimizer.steps
    return { step, tokens: step * 39, seed: 1 }
  }

  /** Returns the path of the checkpoint. */
  async save(): Promise<string> {
    return (await saveCheckpoint(root, this.model, this.optimizer, this.state)).path
  }

  /** Everything that a checkpoint must restore. */
  async values(): Promise<[Map<string, Float32Array>, OptimizerState, (number | undefined)[]]> {
    const taus = tausOf(this.model)
    return [await readAll(this.model.parameters), await this.optimizer.state(), taus]
  }

  [Symbol.dispose](): void {
    this.optimizer[Symbol.dispose]()
    this.model[Symbol.dispose]()
  }
}

/** A store for a process that is killed after `calls` writes and removals. All later ones do nothing. */
function killedAfter(store: Store, calls: number, isDone: () => void): Store {
  let left = calls
  const alive = () => {
    if (left-- > 0) return
    isDone()
    throw new Error('killed')
  }
  const wrap = (inner: Store): Store => ({
    ...inner,
    folder: (name) => wrap(inner.folder(name)),
    async write(files) {
      // Files are replaced one after the other, so a kill may happen between any two.
      for (const file of files) {
        alive()
        await inner.write([file])
      }
    },
    async remove(name) {
      // The files of a folder are removed first, then the folder.
      for (const file of await inner.folder(name).list()) {
        alive()
        await inner.folder(name).remove(file)
      }
      alive()
      await inner.remove(name)
    },
  })
  return wrap(store)
}

const latest = async (folder = root) => (await latestCheckpoint(folder))?.path

/** Loads a checkpoint and returns what it restores. Leaves nothing on the device. */
async function restored(dir: FolderPlace, choice = tinyOptions.optimizer) {
  const { model, state, restore } = await loadCheckpoint(device, dir)
  using _model = model
  using optimizer = modelOptimizer(model, { ...tinyOptions, optimizer: choice })
  restore(optimizer)
  expect(optimizer.steps).toBe(state.step)
  const taus = tausOf(model)
  const values = [await readAll(model.parameters), await optimizer.state(), taus]
  return { values, state, config: model.config, laplacian: model.laplacian?.csr }
}

describe('a checkpoint', () => {
  it.for<[string, ModelOptions]>([
    ['the default model', {}],
    ['a dot model', { attention: 'dot' }],
    ['a model of adaptive τ', { tauMode: 'adaptive', tau: 0.123_456_789 }],
    ['the paper preset', { preset: 'paper' }],
  ])('brings back %s bit for bit', async ([, options]) => {
    const liveBuffers = device.memory.liveBuffers
    {
      using trained = new Trained(options)
      const dir = await trained.save()
      expect(dir).toBe(join(root, 'step-2'))
      expect(await latest()).toBe(dir)
      const found = await restored(dir)
      expect(found.values).toEqual(await trained.values())
      expect(found.state).toEqual(trained.state)
      expect(found.config).toEqual(trained.model.config)
      expect(found.laplacian).toEqual(trained.model.laplacian?.csr)
    }
    expect(device.memory.liveBuffers).toBe(liveBuffers)
  })

  it.for<OptimizerSettings>([{ name: 'muon' }, { name: 'sgd' }, { name: 'sgd', momentum: 0 }])(
    'brings back the state of %o, and no other optimizer takes it',
    async (choice) => {
      using trained = new Trained({}, choice)
      const dir = await trained.save()
      expect((await restored(dir, choice)).values).toEqual(await trained.values())
      await expect(restored(dir)).rejects.toThrow(
        `AdamW: saved state must be of adamw, got state of ${choice.name}; continue with ${choice.name}`,
      )
    },
  )

  it('without a name and counts is of AdamW after the steps of the run', async () => {
    using trained = new Trained()
    const { counts, tensors } = await trained.optimizer.state()
    const nameless = decodeOptimizerState(encodeSafetensors(tensors), 'optimizer.safetensors', 2)
    expect(nameless).toEqual({ optimizer: 'adamw', counts, tensors })
  })

  it.for(['{"steps":-1}', '{"steps":"2"}', '[2]', 'null', '{'])(
    'with counts %s in the optimizer state is refused',
    async (counts) => {
      const bytes = encodeSafetensors(new Map(), { optimizer: 'adamw', counts })
      expect(() => decodeOptimizerState(bytes, 'here', 2)).toThrow(
        `here: counts must map names to whole numbers of at least 0, got ${counts}; use another checkpoint`,
      )
    },
  )

  it('lists the SHA-256 of every other file of its directory', async () => {
    using trained = new Trained()
    const dir = await trained.save()
    const { sha256 } = JSON.parse(await readFile(join(dir, 'training.json'), 'utf8'))
    const files = (await readdir(dir)).sort()
    expect(files).toEqual([
      'config.json',
      'manifold.json',
      'manifold.parquet',
      'model.safetensors',
      'optimizer.safetensors',
      'training.json',
    ])
    expect(Object.keys(sha256)).toEqual(files.filter((file) => file !== 'training.json'))
    for (const [file, hash] of Object.entries(sha256))
      expect(hash).toBe(
        createHash('sha256')
          .update(await readFile(join(dir, file)))
          .digest('hex'),
      )
  })

  it('replaces the one before, and only then removes it', async () => {
    using trained = new Trained()
    await trained.save()
    trained.advance(1)
    let isSaving = true
    const missing: string[] = []
    /** Checks that the current checkpoint has all its files. It must hold at any time. */
    const watch = async () => {
      while (isSaving) {
        const dir = await latest()
        const files = dir === undefined ? [] : await readdir(dir).catch(() => [])
        if (files.length < 6 && dir === (await latest())) missing.push(String(dir))
      }
    }
    const watching = watch()
    const dir = await trained.save().finally(() => {
      isSaving = false
    })
    await watching
    expect(missing).toEqual([])
    expect(dir).toBe(join(root, 'step-3'))
    expect((await readdir(root)).sort()).toEqual(['latest.json', 'step-3'])
  })

  it('of a step that has one goes to a new directory', async () => {
    using trained = new Trained()
    for (const name of ['step-2', 'step-2-2', 'step-2']) {
      expect(await trained.save()).toBe(join(root, name))
      expect((await readdir(root)).sort()).toEqual(['latest.json', name])
      expect((await restored((await latest()) ?? '')).state.step).toBe(2)
    }
  })

  it('is not the directory that a killed process was writing, which the next one clears away', async () => {
    using trained = new Trained()
    const dir = await trained.save()
    await mkdir(join(root, 'step-3.partial'))
    await writeFile(join(root, 'step-3.partial', 'model.safetensors'), 'half of')
    await mkdir(join(root, 'step-3')) // as if the process was killed before it wrote latest.json
    await writeFile(join(root, '.save-0.tmp'), '{"checkp')
    await writeFile(join(root, 'notes.txt'), 'mine')
    expect(await latest()).toBe(dir)
    trained.advance(1)
    expect(await trained.save()).toBe(join(root, 'step-3-2'))
    expect((await readdir(root)).sort()).toEqual(['latest.json', 'notes.txt', 'step-3-2'])
    expect((await restored(join(root, 'step-3-2'))).values).toEqual(await trained.values())
  })

  it('is the old one or the new one, whole, wherever the process is killed; the next one clears up', async () => {
    using trained = new Trained()
    const states = [trained.state, { ...trained.state, step: 3 }, { ...trained.state, step: 4 }]
    const steps: number[] = []
    let isKilled = true
    for (let calls = 0; isKilled; calls++) {
      isKilled = false
      const store = memoryStore()
      const save = (state: (typeof states)[0], place = store) =>
        saveCheckpoint(place, trained.model, trained.optimizer, state)
      await save(states[0])
      const killed = killedAfter(store, calls, () => {
        isKilled = true
      })
      await save(states[1], killed).catch((error) => expect(String(error)).toBe('Error: killed'))
      const { model, state } = await loadCheckpoint(device, (await latestCheckpoint(store))!)
      model[Symbol.dispose]()
      steps.push(state.step)
      await save(states[2])
      expect(await store.list()).toEqual(['latest.json', 'step-4'])
    }
    expect(steps).toEqual(steps.toSorted())
    // Six files and latest.json; then the old folder and its files go, and nothing is left to kill.
    expect(steps.filter((step) => step === 2)).toHaveLength(7)
    expect(steps.filter((step) => step === 3)).toHaveLength(8)
  })

  it('stays when latest.json names it and cannot be flushed', async () => {
    using trained = new Trained()
    const store = memoryStore()
    const failing: Store = {
      ...store,
      async write(files) {
        await store.write(files)
        throw new Error('save: memory must be flushed')
      },
    }
    await expect(saveCheckpoint(failing, trained.model, trained.optimizer, trained.state)).rejects.toThrow(
      'must be flushed',
    )
    expect(await store.list()).toEqual(['latest.json', 'step-2'])
    expect((await latestCheckpoint(store))?.path).toBe('memory/step-2')
  })

  it('is undefined before the first', async () => {
    expect(await latest()).toBeUndefined()
    await mkdir(root)
    expect(await latest()).toBeUndefined()
    await writeFile(join(root, 'file'), '')
    await expect(latest(join(root, 'file'))).rejects.toThrow(
      /list: .*file must be a readable folder, got ENOTDIR/,
    )
  })
})

describe('a disk that is full while saving', () => {
  // ulimit counts blocks of 512 bytes: the weights are 92 kB, the moments twice that.
  it.skipIf(!canRunSources).for([
    ['model.safetensors', 64],
    ['optimizer.safetensors', 190],
  ] as const)('at %s leaves the checkpoint before in force', async ([file, blocks]) => {
    using trained = new Trained()
    const dir = await trained.save()
    const script = `
      import { cpu } from '@tau/tensor'
      import { loadCheckpoint, saveCheckpoint } from ${JSON.stringify(new URL('./checkpoint.ts', import.meta.url))}
      import { modelOptimizer } from ${JSON.stringify(new URL('../loop/optimizer.ts', import.meta.url))}
      const [root, dir] = process.argv.slice(1)
      const { model, state, restore } = await loadCheckpoint(await cpu({ threads: 1 }), dir)
      const optimizer = modelOptimizer(model, ${JSON.stringify(tinyOptions)})
      restore(optimizer)
      try {
        await saveCheckpoint(root, model, optimizer, { ...state, step: 3 })
        console.log(JSON.stringify({ message: 'saved' }))
      } catch (error) {
        console.log(JSON.stringify({ message: error.message, code: error.cause.code }))
      }`
    const node = [process.execPath, '--no-warnings', '--conditions=source', '--input-type=module']
    const limited = ['-c', `ulimit -f ${blocks} && exec "$@"`, 'sh', ...node, '-e', script, root, dir]
    const cwd = new URL('.', import.meta.url)
    const { stdout } = await promisify(execFile)('/bin/sh', limited, { cwd })
    const { message, code } = JSON.parse(stdout)
    expect(code).toBe('EFBIG')
    expect(message).toMatch(/^save: .*step-3\//)
    expect(message).toContain(`${file} must be written completely, got EFBIG`)
    expect((await readdir(root)).sort()).toEqual(['latest.json', 'step-2'])
    expect(await latest()).toBe(dir)
    expect((await restored(dir)).values).toEqual(await trained.values())
  })
})

describe('a damaged checkpoint', () => {
  it('of which one byte is flipped is refused, by the name of the file', async () => {
    using trained = new Trained()
    const dir = await trained.save()
    const liveBuffers = device.memory.liveBuffers
    for (const file of await readdir(dir)) {
      const path = join(dir, file)
      const bytes = await readFile(path)
      const all = Array.from(bytes.keys())
      const places = file === 'training.json' ? all : [0, all.length >> 1, all.length - 1]
      for (const place of places) {
        bytes[place] ^= 1
        await writeFile(path, bytes)
        bytes[place] ^= 1
        await expect(loadCheckpoint(device, dir), `${file} at ${place}`).rejects.toThrow(`${path}: `)
      }
      await writeFile(path, bytes.subarray(0, -2))
      await expect(loadCheckpoint(device, dir)).rejects.toThrow(path)
      await rm(path)
      await expect(loadCheckpoint(device, dir)).rejects.toThrow(`${path} must be readable, got ENOENT`)
      await writeFile(path, bytes)
    }
    expect((await restored(dir)).values).toEqual(await trained.values())
    expect(device.memory.liveBuffers).toBe(liveBuffers)
  })

  it.for<[string, (state: Record<string, unknown>) => unknown, string]>([
    [
      'is of another format',
      (state) => ({ ...state, format: 2 }),
      'format must be 1, got 2; use the version',
    ],
    [
      'has a negative step',
      (state) => ({ ...state, step: -2 }),
      'step, tokens and seed must be whole numbers, got {"step":-2,"tokens":78,"seed":1}',
    ],
    ['has a changed step', (state) => ({ ...state, step: 3 }), 'the file is damaged: use another checkpoint'],
    [
      'names a file elsewhere',
      (state) => ({ ...state, sha256: { ...Object(state.sha256), '../../secret': 'f00' } }),
      "sha256 must map the checkpoint's files to hashes",
    ],
    [
      'leaves a file out',
      (state) => ({ ...state, sha256: { 'model.safetensors': 'f00', 'config.json': 'f00' } }),
      "sha256 must map the checkpoint's files to hashes",
    ],
    ['is a list', () => [], 'must be a JSON object'],
  ])('whose training.json %s is refused', async ([, change, message]) => {
    using trained = new Trained()
    const dir = await trained.save()
    const path = join(dir, 'training.json')
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))))
    await expect(loadCheckpoint(device, dir)).rejects.toThrow(message)
  })

  it.for([
    ['{"checkpoint":"../elsewhere"}', 'must be step-N or step-N-M, got "../elsewhere"'],
    ['{"checkpoint":2}', 'must be step-N or step-N-M, got 2'],
    ['{"checkpoint":"step-2"', 'must be JSON, got'],
    ['null', 'must be a JSON object, got null'],
  ])('whose latest.json is %s is refused', async ([content, message]) => {
    await mkdir(root)
    await writeFile(join(root, 'latest.json'), content)
    await expect(latest()).rejects.toThrow(message)
    await expect(latest()).rejects.toThrow(`${join(root, 'latest.json')}: `)
  })

  it('of another model is refused by the optimizer', async () => {
    using trained = new Trained()
    const dir = await trained.save()
    using wider = new Trained({ nLayer: 3 })
    const { model, restore } = await loadCheckpoint(device, dir)
    using _model = model
    expect(() => restore(wider.optimizer)).toThrow(
      /AdamW: saved state must hold m\.blocks\.2\..* got no such array; the checkpoint belongs to another model/,
    )
  })

  it('that was moved is read where it is', async () => {
    using trained = new Trained()
    const moved = join(directory, 'moved')
    await rename(await trained.save(), moved)
    expect((await restored(moved)).values).toEqual(await trained.values())
  })
})
