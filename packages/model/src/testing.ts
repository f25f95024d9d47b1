import type { Csr } from '@tau/graph'
import { csrFromDense } from '@tau/graph'
import type { Device, Tensor } from '@tau/tensor'
import { randomArray } from '@tau/testing'
import type { ModelOptions } from './config/config.ts'
import { createModel } from './create.ts'
import type { GPT } from './gpt.ts'

/** Laplacian D − W of a random weighted graph: a ring, which makes it connected, and some other edges. */
export function randomLaplacian(size: number, seed = 3): Csr {
  const random = randomArray(size * size, seed)
  const data = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) {
      const near = i - j === 1 || i - j === size - 1
      if (!near && random[i * size + j] < 0.3) continue
      const weight = 0.1 + Math.abs(random[j * size + i])
      for (const [a, b] of [
        [i, j],
        [j, i],
      ]) {
        data[a * size + b] = -weight
        data[a * size + a] += weight
      }
    }
  return csrFromDense({ data, rows: size, cols: size })
}

/** Distinct sizes: 2 layers, 6 query heads on 3 kv heads, value heads of 2 channels, manifold of 10. */
export const tiny = {
  vocabSize: 23,
  seqLen: 13,
  nLayer: 2,
  nHead: 6,
  nKvHead: 3,
  nEmbd: 12,
  manifoldDim: 10,
} as const satisfies ModelOptions

/** A tiny model. `perturb` changes all parameters, so no gradient is 0 only because of the init. */
export async function tinyModel(
  device: Device,
  options: ModelOptions = {},
  { perturb = true, seed = 5 } = {},
): Promise<GPT> {
  const config = { ...tiny, ...options }
  const laplacian = randomLaplacian(config.manifoldDim ?? config.nEmbd / config.nHead)
  const model = createModel(device, config, { laplacian, seed })
  if (perturb) await perturbParameters(model)
  return model
}

/** Adds noise to all parameters: large enough to matter, small enough not to saturate. */
export async function perturbParameters(model: GPT, size = 0.2): Promise<void> {
  let seed = 31
  for (const tensor of model.parameters.values()) {
    const noise = randomArray(tensor.size, seed++)
    tensor.write((await tensor.data()).map((value, i) => value + size * noise[i]))
  }
}

/** Ids below `vocabSize`, the same for a seed. */
export const randomIds = (length: number, vocabSize: number, seed = 7): Int32Array<ArrayBuffer> =>
  Int32Array.from(randomArray(length, seed), (value) => Math.floor(Math.abs(value) * 7919) % vocabSize)

/** Values of all parameters, by name. All reads start before this returns, so a scope may close then. */
export async function parameterValues(
  parameters: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Float32Array>> {
  const reads = Array.from(parameters, async ([name, tensor]) => [name, await tensor.data()] as const)
  return new Map(await Promise.all(reads))
}

/** τ of every group of heads, in order; undefined for a group without τ. */
export const tausOf = ({ attention }: GPT): (number | undefined)[] =>
  attention.flatMap(({ groups }) => groups.map((group) => group.attention.state?.tau))
