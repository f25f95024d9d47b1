import { encodeManifold, type ManifoldOrigin, readManifold } from '@tau/graph'
import type { Device, Tensor } from '@tau/tensor'
import {
  decodeSafetensors,
  encodeSafetensors,
  type FolderPlace,
  type NamedArray,
  pathOf,
  readFileBytes,
  readUtf8File,
  type SafetensorsFile,
  storeAt,
} from '@tau/tensor/files'
import { assemble } from './assemble.ts'
import { manifoldDim, needsLaplacian } from './config/config.ts'
import { configFromJson, configToJson } from './config/json.ts'
import type { ModelConfig } from './config/model-config.ts'
import type { GPT } from './gpt.ts'
import { parameterSpecs } from './parameters/parameters.ts'

/** Names of the files of a model directory. */
export const MODEL_FILES = {
  weights: 'model.safetensors',
  config: 'config.json',
  manifold: 'manifold.parquet',
  about: 'manifold.json',
} as const

/** A configuration is about a page of text. A larger file is refused. */
const MAX_CONFIG_BYTES = 2 ** 20

export interface SaveOptions {
  /** Where the Laplacian comes from, for manifold.json. */
  origin?: ManifoldOrigin | undefined
}

/** Writes a model into a folder (a path or a store): `model.safetensors`, `config.json` and, if the model has
 *  a Laplacian, `manifold.parquet` with `manifold.json`. Other files in the folder stay. All new files are on
 *  the disk before the first one replaces an old file. So a full disk leaves the old model unchanged. */
export async function saveModel(
  model: GPT,
  folder: FolderPlace,
  { origin }: SaveOptions = {},
): Promise<void> {
  const files: { name: string; content: Uint8Array | string }[] = [
    { name: MODEL_FILES.weights, content: await encodeModel(model) },
  ]
  if (model.laplacian) {
    const { csr, dim } = model.laplacian
    const unknown = { nameId: 'domain', source: { rows: dim, cols: dim } }
    files.push(...(await encodeManifold({ laplacian: csr, ...(origin ?? unknown) })).files)
  }
  files.push({ name: MODEL_FILES.config, content: configToJson(model.config) })
  await storeAt(folder).write(files)
}

/** The bytes of model.safetensors. They hold the parameters. Metadata holds the state of the kinds of
 *  attention, such as τ per layer. */
export async function encodeModel(model: GPT): Promise<Uint8Array> {
  const arrays = new Map<string, NamedArray>()
  for (const [name, tensor] of model.parameters)
    arrays.set(name, { shape: tensor.shape, data: await tensor.data() })
  return encodeSafetensors(arrays, {
    format: 'tau',
    ...Object.fromEntries(
      Array.from(statesOf(model), ([name, states]) => [
        name,
        JSON.stringify(states.map((state) => state[name])),
      ]),
    ),
  })
}

/** Reads a folder that {@link saveModel} wrote. Checks every size. Errors name the file and the problem. */
export async function loadModel(device: Device, folder: FolderPlace): Promise<GPT> {
  const store = storeAt(folder)
  const config = await readModelConfig(store)
  const weights = { store, name: MODEL_FILES.weights }
  const weightsPath = pathOf(weights)
  const file = decodeSafetensors(await readFileBytes(weights, 'loadModel'), weightsPath)
  const laplacian = needsLaplacian(config)
    ? (await readManifold(store, { size: manifoldDim(config) })).laplacian
    : undefined
  const makeParameters = () => toParameters(device, config, file, weightsPath)
  const model = assemble(device, config, makeParameters, laplacian)
  try {
    restoreStates(model, file, weightsPath)
  } catch (error) {
    model[Symbol.dispose]()
    throw error
  }
  return model
}

/** Reads the configuration of a model in a folder, without its weights. */
export async function readModelConfig(folder: FolderPlace): Promise<ModelConfig> {
  const file = { store: storeAt(folder), name: MODEL_FILES.config }
  return configFromJson(await readUtf8File(file, 'loadModel', MAX_CONFIG_BYTES), pathOf(file))
}

function toParameters(
  device: Device,
  config: ModelConfig,
  file: SafetensorsFile,
  path: string,
): Map<string, Tensor> {
  const parameters = new Map<string, Tensor>()
  for (const { name, shape } of parameterSpecs(config)) {
    const array = file.tensors.get(name)
    if (!array)
      throw new Error(
        `${path}: must hold the tensor ${name} that config.json needs, got no such tensor; use weights and config.json of the same model`,
      )
    const { data } = array
    if (!(data instanceof Float32Array))
      throw new Error(`${path}: ${name} must be F32, F16 or BF16, got a ${data.constructor.name}; convert it`)
    if (array.shape.join() !== shape.join())
      throw new Error(
        `${path}: ${name} must be [${shape.join(', ')}], got [${array.shape.join(', ')}]; use weights and config.json of the same model`,
      )
    parameters.set(name, device.tensor(data, shape))
  }
  for (const name of file.tensors.keys())
    if (!parameters.has(name))
      throw new Error(
        `${path}: must only hold the parameters of its config.json, got also ${name}; use weights and config.json of the same model`,
      )
  return parameters
}

/** States of the kinds of attention by the names of their numbers, in the order of layers and groups. */
function statesOf({ attention }: GPT): ReadonlyMap<string, Record<string, number>[]> {
  const found = new Map<string, Record<string, number>[]>()
  for (const { groups } of attention)
    for (const {
      attention: { state },
    } of groups)
      for (const name of Object.keys(state ?? {}))
        if (state) found.set(name, [...(found.get(name) ?? []), state])
  return found
}

/** Sets the states from the metadata. A state that the file lacks keeps the value of the configuration. */
function restoreStates(model: GPT, { metadata }: SafetensorsFile, path: string): void {
  for (const [name, states] of statesOf(model)) {
    const found = metadata[name]
    if (found === undefined) continue
    let values: unknown
    try {
      values = JSON.parse(found)
    } catch {
      values = undefined // the message below shows the text
    }
    if (!isPositives(values) || values.length !== states.length)
      throw new Error(
        `${path}: metadata ${name} must be ${states.length} positive numbers, one per layer, got ${found}; use weights and config.json of the same model`,
      )
    for (const [i, state] of states.entries()) state[name] = values[i]
  }
}

const isPositives = (values: unknown): values is number[] =>
  Array.isArray(values) && values.every((value) => Number.isFinite(value) && value > 0)
