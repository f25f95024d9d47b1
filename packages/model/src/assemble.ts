import { LaplacianTensor } from '@tau/attention'
import type { Csr } from '@tau/graph'
import type { Device, Tensor } from '@tau/tensor'
import type { ModelConfig } from './config/model-config.ts'
import { checkLaplacian, GPT } from './gpt.ts'

/** Makes a model. Its tensors live until the model is disposed, and no open scope frees them. If anything
 *  throws, everything that was made is freed. */
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
    // Made after the parameters, because no scope frees its memory if making them throws.
    const laplacianTensor = laplacian && LaplacianTensor.from(device, laplacian)
    const model = new GPT(device, config, parameters, laplacianTensor)
    for (const tensor of parameters.values()) scope.keep(tensor)
    return model
  })
}
