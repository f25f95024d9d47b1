import { type Csr, csrFromDense } from '@tau/graph'
import type { Device } from '@tau/tensor'
import { assemble } from './assemble.ts'
import { type ModelOptions, manifoldDim, needsLaplacian, resolveConfig } from './config/config.ts'
import type { ModelConfig } from './config/model-config.ts'
import type { GPT } from './gpt.ts'
import { initParameters, parameterSpecs } from './parameters/parameters.ts'

export interface CreateOptions {
  /** Graph Laplacian of the domain, of size manifoldDim; needed for tau attention, left aside if no heads need one. */
  laplacian?: Csr
  /** Same seed, same parameters, on every backend. */
  seed?: number
}

/** A model with fresh parameters. Throws for a configuration that makes no model, a Laplacian that is missing, of another size or
 *  not symmetric, and a seed that is not a whole number. */
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

/** A model whose parameters are memory that nobody wrote, over a graph without edges: to count what it takes on a dry device. */
export function emptyModel(device: Device, config: ModelConfig): GPT {
  const parameters = () =>
    new Map(parameterSpecs(config).map(({ name, shape }) => [name, device.empty(shape)]))
  const size = manifoldDim(config)
  const withoutEdges = { data: new Float64Array(size * size), rows: size, cols: size }
  return assemble(device, config, parameters, needsLaplacian(config) ? csrFromDense(withoutEdges) : undefined)
}
