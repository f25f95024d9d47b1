import { LaplacianTensor } from '@tau/attention'
import { readManifold, writeManifold } from '@tau/graph'
import {
  type Device,
  decodeSafetensors,
  encodeSafetensors,
  type NamedArray,
  readFileBytes,
  type SafetensorsFile,
  type Tensor,
  writeFileAtomic,
} from '@tau/tensor'
import { type ModelConfig, manifoldDim } from './config.ts'
import { configFromJson, configToJson } from './config-json.ts'
import { GPT } from './gpt.ts'
import { parameterSpecs } from './parameters.ts'

/** Names of the files of a model directory. */
export const MODEL_FILES = {
  weights: 'model.safetensors',
  config: 'config.json',
  manifold: 'manifold.parquet',
} as const

/** Writes `model.safetensors`, `config.json` and, for tau attention, `manifold.parquet` with `manifold.json`. Each file is
 *  replaced whole or not at all, the configuration last; a directory that exists keeps its other files.
 *  Throws when the disk is full: what was there before is unchanged. */
export async function saveModel(model: GPT, dir: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises')
  const { join } = await import('node:path')
  await mkdir(dir, { recursive: true })
  if (model.laplacian) {
    const { csr, dim } = model.laplacian
    await writeManifold(dir, { laplacian: csr, nameId: 'domain', source: { rows: dim, cols: dim } })
  }
  await writeFileAtomic(join(dir, MODEL_FILES.weights), await encodeModel(model))
  await writeFileAtomic(join(dir, MODEL_FILES.config), configToJson(model.config))
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
  const { join } = await import('node:path')
  const configPath = join(dir, MODEL_FILES.config)
  const config = configFromJson(new TextDecoder().decode(await readFileBytes(configPath)), configPath)
  const weightsPath = join(dir, MODEL_FILES.weights)
  const file = decodeSafetensors(await readFileBytes(weightsPath), weightsPath)
  const laplacian =
    config.attention === 'tau'
      ? (await readManifold(dir, { size: manifoldDim(config) })).laplacian
      : undefined
  return device.unscoped(() => {
    const parameters = toParameters(device, config, file, weightsPath)
    const model = new GPT(device, config, parameters, laplacian && LaplacianTensor.from(device, laplacian))
    restoreTau(model, file, weightsPath)
    return model
  })
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
    if (!(data instanceof Float32Array)) throw new Error(`${path}: ${name} must be floats, got I32`)
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

function restoreTau(model: GPT, { metadata }: SafetensorsFile, path: string): void {
  if (metadata.tau === undefined) return
  let taus: unknown
  try {
    taus = JSON.parse(metadata.tau)
  } catch {
    taus = undefined
  }
  const valid =
    Array.isArray(taus) &&
    taus.length === model.attention.length &&
    taus.every((tau) => tau > 0 && Number.isFinite(tau))
  if (!valid || !Array.isArray(taus))
    throw new Error(
      `${path}: metadata tau must be ${model.attention.length} positive numbers, got ${metadata.tau}`,
    )
  model.attention.forEach((layer, i) => {
    layer.tau = taus[i]
  })
}
