import { encodeManifold, type ManifoldOrigin, readManifold } from '@tau/graph'
import {
  type Device,
  decodeSafetensors,
  encodeSafetensors,
  type NamedArray,
  readFileBytes,
  readUtf8File,
  type SafetensorsFile,
  type Tensor,
  writeFilesAtomic,
} from '@tau/tensor'
import { assemble } from './assemble.ts'
import { type ModelConfig, manifoldDim } from './config.ts'
import { configFromJson, configToJson } from './config-json.ts'
import type { GPT } from './gpt.ts'
import { parameterSpecs } from './parameters.ts'

/** Names of the files of a model directory. */
export const MODEL_FILES = {
  weights: 'model.safetensors',
  config: 'config.json',
  manifold: 'manifold.parquet',
  about: 'manifold.json',
} as const

/** A configuration is a page of text; more is not one. */
const MAX_CONFIG_BYTES = 2 ** 20

export interface SaveOptions {
  /** Where the Laplacian comes from: manifold.json says so. */
  origin?: ManifoldOrigin | undefined
}

/** Writes `model.safetensors`, `config.json` and, for tau attention, `manifold.parquet` with `manifold.json`; a directory that
 *  exists keeps its other files. All are on the disk before the first takes the place of an old one: if the disk is full the model
 *  that was there is unchanged, as a whole. */
export async function saveModel(model: GPT, dir: string, { origin }: SaveOptions = {}): Promise<void> {
  const { mkdir } = process.getBuiltinModule('node:fs/promises')
  const { join } = process.getBuiltinModule('node:path')
  const files: { name: string; content: Uint8Array | string }[] = [
    { name: MODEL_FILES.weights, content: await encodeModel(model) },
  ]
  if (model.laplacian) {
    const { csr, dim } = model.laplacian
    const unknown = { nameId: 'domain', source: { rows: dim, cols: dim } }
    files.push(...(await encodeManifold({ laplacian: csr, ...(origin ?? unknown) })).files)
  }
  files.push({ name: MODEL_FILES.config, content: configToJson(model.config) })
  await mkdir(dir, { recursive: true })
  await writeFilesAtomic(files.map(({ name, content }) => ({ path: join(dir, name), content })))
}

/** The bytes of model.safetensors: the parameters, and as metadata τ per layer where it is not learned. */
export async function encodeModel(model: GPT): Promise<Uint8Array> {
  const arrays = new Map<string, NamedArray>()
  for (const [name, tensor] of model.parameters)
    arrays.set(name, { shape: tensor.shape, data: await tensor.data() })
  return encodeSafetensors(arrays, {
    format: 'tau',
    tau: JSON.stringify(model.attention.map(({ tau }) => tau)),
  })
}

/** Reads a directory written by {@link saveModel}. Every size is checked; errors name the file and what is wrong with it. */
export async function loadModel(device: Device, dir: string): Promise<GPT> {
  const { join } = process.getBuiltinModule('node:path')
  const configPath = join(dir, MODEL_FILES.config)
  const config = configFromJson(await readUtf8File(configPath, 'loadModel', MAX_CONFIG_BYTES), configPath)
  const weightsPath = join(dir, MODEL_FILES.weights)
  const file = decodeSafetensors(await readFileBytes(weightsPath, 'loadModel'), weightsPath)
  const taus = readTaus(config, file, weightsPath)
  const laplacian =
    config.attention === 'tau'
      ? (await readManifold(dir, { size: manifoldDim(config) })).laplacian
      : undefined
  const makeParameters = () => toParameters(device, config, file, weightsPath)
  const model = assemble(device, config, makeParameters, laplacian)
  model.attention.forEach((layer, i) => {
    layer.tau = taus[i]
  })
  return model
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
        `${path}: must hold ${name} for its config.json, got no such tensor; the files do not belong together`,
      )
    const { data } = array
    if (!(data instanceof Float32Array))
      throw new Error(
        `${path}: ${name} must be of F32, F16 or BF16, got a ${data.constructor.name}; convert it`,
      )
    if (array.shape.join() !== shape.join())
      throw new Error(
        `${path}: ${name} must be [${shape.join(', ')}], got [${array.shape.join(', ')}]; the files do not belong together`,
      )
    parameters.set(name, device.tensor(data, shape))
  }
  for (const name of file.tensors.keys())
    if (!parameters.has(name))
      throw new Error(`${path}: must hold the parameters of its config.json only, got ${name} besides`)
  return parameters
}

/** τ per layer from the metadata; the configuration's where a file does not say. */
function readTaus({ tau, nLayer }: ModelConfig, { metadata }: SafetensorsFile, path: string): number[] {
  if (metadata.tau === undefined) return Array.from({ length: nLayer }, () => tau)
  let taus: unknown
  try {
    taus = JSON.parse(metadata.tau)
  } catch {
    taus = undefined // the message below shows the text
  }
  if (
    !Array.isArray(taus) ||
    taus.length !== nLayer ||
    !taus.every((value) => Number.isFinite(value) && value > 0)
  )
    throw new Error(
      `${path}: metadata tau must be ${nLayer} positive numbers, one per layer, got ${metadata.tau}; the files do not belong together`,
    )
  return taus
}
