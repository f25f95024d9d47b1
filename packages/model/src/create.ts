import type { Csr } from '@tau/graph'
import type { Device } from '@tau/tensor'
import { assemble } from './assemble.ts'
import { type ModelConfig, type ModelOptions, resolveConfig } from './config.ts'
import type { GPT } from './gpt.ts'
import { initParameters } from './parameters.ts'

export interface CreateOptions {
  /** Graph Laplacian of the domain, of size manifoldDim; needed for tau attention, left aside for dot. */
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
    resolved.attention === 'tau' ? laplacian : undefined,
  )
}
