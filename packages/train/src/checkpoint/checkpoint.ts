import { type GPT, loadModel, MODEL_FILES, saveModel } from '@tau/model'
import {
  type Device,
  decodeSafetensors,
  encodeSafetensors,
  readFileBytes,
  sha256,
  writeFileAtomic,
} from '@tau/tensor'
import type { AdamW } from '../optim/adamw.ts'

const OPTIMIZER = 'optimizer.safetensors'
const STATE = 'training.json'
const LATEST = 'latest.json'
const FORMAT = 1

/** Where a run stood. Data order and learning rate are functions of the step, so this and the tensors are all of it. */
export interface TrainingState {
  /** Optimizer steps done. */
  readonly step: number
  /** Tokens trained on. */
  readonly tokens: number
  /** Seed of the data order. */
  readonly seed: number
}

interface StateFile extends TrainingState {
  readonly format: number
  /** SHA-256 of the binary files beside it, hex. */
  readonly sha256: Readonly<Record<string, string>>
}

/** Saves a checkpoint under `dir/step-N` and points `dir/latest.json` to it; older checkpoints are removed after that. A
 *  checkpoint is a model directory (see saveModel) with the optimizer's moments and the state beside it.
 *  Whatever fails on the way, the checkpoint before stays whole and in force. Returns the new directory. */
export async function saveCheckpoint(
  dir: string,
  model: GPT,
  optimizer: AdamW,
  state: TrainingState,
): Promise<string> {
  const { mkdir, readdir, readFile, rename, rm } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const name = `step-${state.step}`
  const final = join(dir, name)
  const partial = `${final}.partial`
  try {
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { recursive: true })
    await saveModel(model, partial)
    await writeFileAtomic(join(partial, OPTIMIZER), encodeSafetensors(await optimizer.state()))
    const hashes: Record<string, string> = {}
    for (const file of [MODEL_FILES.weights, OPTIMIZER])
      hashes[file] = await sha256(await readFile(join(partial, file)))
    const content: StateFile = { format: FORMAT, ...state, sha256: hashes }
    await writeFileAtomic(join(partial, STATE), `${JSON.stringify(content, null, 2)}\n`)
    await rm(final, { recursive: true, force: true })
    await rename(partial, final)
    await writeFileAtomic(join(dir, LATEST), `${JSON.stringify({ checkpoint: name })}\n`)
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {})
    throw error
  }
  for (const other of await readdir(dir))
    if (/^step-\d+(\.partial)?$/.test(other) && other !== name)
      await rm(join(dir, other), { recursive: true, force: true })
  return final
}

/** The newest checkpoint's directory, or undefined when there is none. */
export async function latestCheckpoint(dir: string): Promise<string | undefined> {
  const { access } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const path = join(dir, LATEST)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (!exists) return undefined
  const { checkpoint } = parseObject(path, await readFileBytes(path))
  if (typeof checkpoint !== 'string' || !/^step-\d+$/.test(checkpoint))
    throw new Error(`${path}: checkpoint must be step-N, got ${JSON.stringify(checkpoint)}`)
  return join(dir, checkpoint)
}

export interface LoadedCheckpoint {
  readonly model: GPT
  readonly state: TrainingState
  /** Gives a fresh optimizer the saved moments. */
  restore(optimizer: AdamW): void
}

/** Reads a checkpoint after checking the hashes of its files; says which file is damaged. */
export async function loadCheckpoint(device: Device, dir: string): Promise<LoadedCheckpoint> {
  const { join } = await import('node:path')
  const statePath = join(dir, STATE)
  const {
    format,
    step,
    tokens,
    seed,
    sha256: hashes,
  } = parseObject(statePath, await readFileBytes(statePath))
  if (format !== FORMAT)
    throw new Error(
      `${statePath}: format must be ${FORMAT}, got ${JSON.stringify(format)}; use the version that wrote it`,
    )
  if (!isCount(step) || !isCount(tokens) || !isCount(seed))
    throw new Error(
      `${statePath}: step, tokens and seed must be whole numbers, got ${JSON.stringify({ step, tokens, seed })}`,
    )
  if (!isHashes(hashes))
    throw new Error(`${statePath}: sha256 must map files to hashes, got ${JSON.stringify(hashes)}`)
  for (const file of [MODEL_FILES.weights, OPTIMIZER]) {
    const found = await sha256(await readFileBytes(join(dir, file)))
    if (found !== hashes[file])
      throw new Error(
        `${join(dir, file)}: SHA-256 must be ${hashes[file]} as saved, got ${found}; the file is damaged, use an older checkpoint`,
      )
  }
  const optimizerPath = join(dir, OPTIMIZER)
  const moments = decodeSafetensors(await readFileBytes(optimizerPath), optimizerPath).tensors
  return {
    model: await loadModel(device, dir),
    state: { step, tokens, seed },
    restore: (optimizer) => optimizer.restore(moments, step),
  }
}

function parseObject(path: string, bytes: Uint8Array): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new Error(`${path}: must be JSON, got ${error instanceof Error ? error.message : error}`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`${path}: must be a JSON object, got ${json}`)
  return { ...json }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const isHashes = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((hash) => typeof hash === 'string')
