import { type Csr, csrFromDense } from '@tau/graph'
import type { Device } from '@tau/tensor'
import { assemble } from './assemble.ts'
import { type ModelOptions, manifoldDim, needsLaplacian, resolveConfig } from './config/config.ts'
import type { ModelConfig } from './config/model-config.ts'
import type { GPT } from './gpt.ts'
import { initParameters, parameterSpecs } from './parameters/parameters.ts'

export interface CreateOptions {
  /** Graph Laplacian of the domain, [manifoldDim, manifoldDim]. tau attention needs it. If no heads need one,
   *  it is ignored. */
  laplacian?: Csr
  /** Seed of the parameters. The same seed gives the same parameters on every backend. Default 0. */
  seed?: number
}

/** Makes a model with new parameters. Throws if the configuration is invalid, or if the seed is not a whole
 *  number. Also throws if the Laplacian is missing, has another size, or is not symmetric. */
export function createModel(
  device: Device,
  config: ModelConfig | ModelOptions,
  options: CreateOptions = {},
): GPT {
  const { laplacian, seed = 0 } = options
  const resolved = resolveConfig(config)
  return assemble(
    device,
    resolved,
    () => initParameters(device, resolved, seed),
    needsLaplacian(resolved) ? laplacian : undefined,
  )
}

/** Makes a model whose parameters have shapes but no contents, over a graph without edges. It serves to count
 *  memory on a device that only counts. */
export function emptyModel(device: Device, config: ModelConfig): GPT {
  const parameters = () =>
    new Map(parameterSpecs(config).map(({ name, shape }) => [name, device.empty(shape)]))
  const size = manifoldDim(config)
  const withoutEdges = { data: new Float64Array(size * size), rows: size, cols: size }
  return assemble(device, config, parameters, needsLaplacian(config) ? csrFromDense(withoutEdges) : undefined)
}
