import { type GPT, loadModel, MODEL_FILES, saveModel } from '@tau/model'
import type { Device } from '@tau/tensor'
import {
  type FolderPlace,
  pathOf,
  readFileBytes,
  type Store,
  type StoredFile,
  sha256,
  storeAt,
} from '@tau/tensor/files'
import type { Optimizer } from '@tau/tensor/optim'
import { decodeOptimizerState, encodeOptimizerState } from './optimizer-state.ts'

const OPTIMIZER = 'optimizer.safetensors'
const STATE = 'training.json'
const LATEST = 'latest.json'
const FORMAT = 1
const NAME = /^step-\d+(-\d+)?$/
/** Older checkpoints, and unfinished files of a killed process. Earlier versions wrote into
 *  `step-N.partial`. */
const LEFTOVER = /^(step-\d+(-\d+)?(\.partial)?|\.save-.*\.tmp)$/

/** State of a run besides its tensors. Nothing else is needed, because data order and learning rate are
 *  functions of the step. */
export interface TrainingState {
  /** Number of optimizer steps done. */
  readonly step: number
  /** Number of tokens trained on. */
  readonly tokens: number
  /** Seed of the data order. */
  readonly seed: number
}

interface StateFile extends TrainingState {
  readonly format: number
  /** SHA-256 of every other file of the checkpoint, hex. */
  readonly sha256: Readonly<Record<string, string>>
  /** SHA-256 of the fields above, as JSON. */
  readonly seal: string
}

/** Saves a checkpoint in `folder/step-N`, then makes `folder/latest.json` name it, then removes older
 *   checkpoints. A checkpoint is a model folder (see saveModel) with the states of the optimizer and of the
 *   run. If `step-N` exists already, the new folder is `step-N-2`, so the old one stays valid until the new
 *   one is complete. If anything fails, latest.json still names a complete checkpoint: the previous one, or
 *   the new one if only the last flush failed. Returns the new folder. */
export async function saveCheckpoint(
  folder: FolderPlace,
  model: GPT,
  optimizer: Optimizer,
  state: TrainingState,
): Promise<Store> {
  const store = storeAt(folder)
  const name = freeName(`step-${state.step}`, await store.list())
  const made = store.folder(name)
  try {
    await saveModel(model, made)
    await made.write([{ name: OPTIMIZER, content: encodeOptimizerState(await optimizer.state()) }])
    const hashes: Record<string, string> = {}
    for (const file of await made.list())
      hashes[file] = await sha256(await readFileBytes({ store: made, name: file }))
    const { step, tokens, seed } = state
    const content = { format: FORMAT, step, tokens, seed, sha256: hashes }
    const sealed: StateFile = { ...content, seal: await sealOf(content) }
    await made.write([{ name: STATE, content: `${JSON.stringify(sealed, null, 2)}\n` }])
    await store.write([{ name: LATEST, content: `${JSON.stringify({ checkpoint: name })}\n` }])
  } catch (error) {
    // A flush can fail after latest.json was replaced: then it names the new checkpoint.
    const isInForce = await latestCheckpoint(store).then(
      (latest) => latest?.path === made.path,
      () => true,
    )
    if (!isInForce) await store.remove(name).catch(() => {})
    throw error
  }
  for (const other of await store.list())
    if (LEFTOVER.test(other) && other !== name) await store.remove(other)
  return made
}

function freeName(base: string, taken: readonly string[]): string {
  let name = base
  for (let i = 2; taken.includes(name); i++) name = `${base}-${i}`
  return name
}

const sealOf = (content: Omit<StateFile, 'seal'>): Promise<string> =>
  sha256(new TextEncoder().encode(JSON.stringify(content)))

/** Folder of the newest checkpoint. Undefined if there is none. */
export async function latestCheckpoint(folder: FolderPlace): Promise<Store | undefined> {
  const store = storeAt(folder)
  if (!(await store.list()).includes(LATEST)) return undefined
  const file = { store, name: LATEST }
  const { checkpoint } = await readObject(file)
  if (typeof checkpoint !== 'string' || !NAME.test(checkpoint))
    throw new Error(
      `${pathOf(file)}: checkpoint must be step-N or step-N-M, got ${JSON.stringify(checkpoint)}; write the name of the newest checkpoint folder there`,
    )
  return store.folder(checkpoint)
}

export interface LoadedCheckpoint {
  readonly model: GPT
  readonly state: TrainingState
  /** Loads the saved state into a new optimizer. Throws if it is not the same kind of optimizer as the saved
   *  one. */
  restore(optimizer: Optimizer): void
}

/** Reads a checkpoint. Checks the hashes of its files first; the error names the damaged file. The caller
 *  disposes the model. */
export async function loadCheckpoint(device: Device, folder: FolderPlace): Promise<LoadedCheckpoint> {
  const store = storeAt(folder)
  const { step, tokens, seed, sha256: hashes } = await readState({ store, name: STATE })
  for (const [name, expected] of Object.entries(hashes)) {
    const found = await sha256(await readFileBytes({ store, name }))
    if (found !== expected)
      throw new Error(
        `${pathOf({ store, name })}: SHA-256 must be ${expected} as saved, got ${found}; the file is damaged: use another checkpoint`,
      )
  }
  const file = { store, name: OPTIMIZER }
  const saved = decodeOptimizerState(await readFileBytes(file), pathOf(file), step)
  return {
    model: await loadModel(device, store),
    state: { step, tokens, seed },
    restore: (optimizer) => optimizer.restore(saved),
  }
}

async function readState(file: StoredFile): Promise<StateFile> {
  const path = pathOf(file)
  const { format, step, tokens, seed, sha256: hashes, seal } = await readObject(file)
  if (format !== FORMAT)
    throw new Error(
      `${path}: format must be ${FORMAT}, got ${JSON.stringify(format)}; use the version of @tau/train that wrote the checkpoint`,
    )
  if (!isCount(step) || !isCount(tokens) || !isCount(seed))
    throw new Error(
      `${path}: step, tokens and seed must be whole numbers, got ${JSON.stringify({ step, tokens, seed })}; use another checkpoint`,
    )
  if (!isHashes(hashes))
    throw new Error(
      `${path}: sha256 must map the checkpoint's files to hashes, got ${JSON.stringify(hashes)}; use another checkpoint`,
    )
  const content = { format, step, tokens, seed, sha256: hashes }
  const expected = await sealOf(content)
  if (seal !== expected)
    throw new Error(
      `${path}: seal must be ${expected}, the SHA-256 of its fields, got ${JSON.stringify(seal)}; the file is damaged: use another checkpoint`,
    )
  return { ...content, seal }
}

async function readObject(file: StoredFile): Promise<Record<string, unknown>> {
  const path = pathOf(file)
  const bytes = await readFileBytes(file)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new Error(
      `${path}: must be JSON, got ${error instanceof Error ? error.message : error}; the file is damaged: use another checkpoint`,
    )
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(
      `${path}: must be a JSON object, got ${json}; the file is damaged: use another checkpoint`,
    )
  return { ...json }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** Whether the value maps file names to hashes. Names have no path, so nothing outside the checkpoint is
 *  read. The files that every checkpoint has must be among them. */
const isHashes = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(([file, hash]) => /^\w[\w.-]*$/.test(file) && typeof hash === 'string') &&
  [MODEL_FILES.weights, MODEL_FILES.config, OPTIMIZER].every((file) => file in value)
