import { LaplacianTensor } from '@tau/attention'
import type { Csr } from '@tau/graph'
import type { Device } from '@tau/tensor'
import { type ModelConfig, type ModelOptions, resolveConfig } from './config.ts'
import { GPT } from './gpt.ts'
import { initParameters } from './parameters.ts'

export interface CreateOptions {
  /** Graph Laplacian of the domain, of size manifoldDim; needed for tau attention, left aside for dot. */
  laplacian?: Csr
  /** Same seed, same parameters, on every backend. */
  seed?: number
}

/** A model with fresh parameters. */
export function createModel(
  device: Device,
  config: ModelConfig | ModelOptions,
  options: CreateOptions = {},
): GPT {
  const { laplacian, seed = 0 } = options
  const resolved = resolveConfig(config)
  const tensor =
    resolved.attention === 'tau' && laplacian
      ? device.unscoped(() => LaplacianTensor.from(device, laplacian))
      : undefined
  return new GPT(device, resolved, initParameters(device, resolved, seed), tensor)
}
