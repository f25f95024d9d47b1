import { emptyModel, type ModelConfig, type ModelOptions, resolveConfig } from '@tau/model'
import { dryCpu } from '@tau/tensor'
import { modelOptimizer, type OptimizerChoice } from './optimizer.ts'
import type { TrainOptions } from './options.ts'
import { trainStep } from './step.ts'

/** Bytes of WebAssembly memory that training takes on the cpu backend: parameters, state of the optimizer,
 *  gradients, activations, scratch and the workspaces of `threads`. Runs two training steps on a device that
 *  only counts memory. The process needs more memory for the runtime and the data. */
export async function estimateTraining(
  model: ModelConfig | ModelOptions,
  options: OptimizerChoice & Pick<TrainOptions, 'batchSize' | 'accumulate' | 'checkpointActivations'>,
  threads: number,
): Promise<number> {
  const config = resolveConfig(model)
  const { batchSize, accumulate, checkpointActivations } = options
  const device = await dryCpu(threads)
  using dry = emptyModel(device, config)
  using optimizer = modelOptimizer(dry, options)
  const ids = new Int32Array(batchSize * config.seqLen)
  const batches = Array.from({ length: accumulate }, () => ({ tokens: ids, targets: ids }))
  for (let step = 0; step < 2; step++) {
    const { loss, norm, grads } = trainStep(dry, optimizer, batches, batchSize, 0, { checkpointActivations })
    for (const tensor of [loss, norm, ...grads]) tensor.dispose()
  }
  return device.memory.peakBytes
}
