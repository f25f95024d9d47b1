import { LaplacianTensor } from '@tau/attention'
import type { Csr } from '@tau/graph'
import type { Device, Tensor } from '@tau/tensor'
import type { ModelConfig } from './config/model-config.ts'
import { checkLaplacian, GPT } from './gpt.ts'

/** A model whose tensors live until it is disposed, whatever scope is open. If anything throws on the way, all that was made is
 *  freed again. */
export function assemble(
  device: Device,
  config: ModelConfig,
  makeParameters: () => ReadonlyMap<string, Tensor>,
  laplacian: Csr | undefined,
): GPT {
  checkLaplacian(config, laplacian?.nRows)
  return device.unscoped(() => {
    using scope = device.scope()
    const parameters = makeParameters()
    // Last, for its memory belongs to no scope.
    const laplacianTensor = laplacian && LaplacianTensor.from(device, laplacian)
    const model = new GPT(device, config, parameters, laplacianTensor)
    for (const tensor of parameters.values()) scope.keep(tensor)
    return model
  })
}
