import type { GPT } from '@tau/model'
import { type Profile, philox4x32, profile } from '@tau/tensor'
import { TokenBatches } from '../data/batches.ts'
import { modelOptimizer, type OptimizerChoice } from './optimizer.ts'
import type { TrainOptions } from './options.ts'
import { trainStep } from './step.ts'

/** Warm-up steps that are not measured. In them memory grows and code is compiled. */
export const WARM_UP_STEPS = 3
/** Measured steps. The profile is the step with the median time. */
export const PROFILED_STEPS = 3

/** Measures where the time of one training step goes. Its phases: `data` (making the batches), `forward`,
 *  `backward`, `optimizer`, and reading the loss. The learning rate is 0, so a step does the usual work and
 *  the model stays the same to the bit. `ids` are tokens to train on, at least seqLen + 1 of them. Default:
 *  random ids, which cost the same time. cpu backend only. */
export async function profileStep(
  model: GPT,
  options: OptimizerChoice &
    Pick<TrainOptions, 'batchSize' | 'accumulate' | 'checkpointActivations' | 'seed'>,
  ids = randomIds(model, options),
): Promise<Profile> {
  const { batchSize, accumulate, checkpointActivations, seed } = options
  const { device, config } = model
  const batches = new TokenBatches({ ids, seqLen: config.seqLen, batchSize, seed })
  using optimizer = modelOptimizer(model, options)
  const step = async (index: number): Promise<void> => {
    const micro = device.span('data', () =>
      Array.from({ length: accumulate }, (_, i) => batches.batch(index * accumulate + i)),
    )
    const { loss, norm, grads } = trainStep(model, optimizer, micro, batchSize, 0, { checkpointActivations })
    await Promise.all([loss.item(), norm.item()])
    for (const tensor of [loss, norm, ...grads]) tensor.dispose()
  }
  for (let i = 0; i < WARM_UP_STEPS; i++) await step(i)
  const profiles: Profile[] = []
  for (let i = 0; i < PROFILED_STEPS; i++)
    profiles.push((await profile(device, () => step(WARM_UP_STEPS + i))).profile)
  profiles.sort((a, b) => a.ms - b.ms)
  return profiles[PROFILED_STEPS >> 1]
}

function randomIds(
  { config: { vocabSize, seqLen } }: GPT,
  { batchSize, seed }: Pick<TrainOptions, 'batchSize' | 'seed'>,
): Int32Array {
  const key: [number, number] = [seed >>> 0, 0]
  return Int32Array.from({ length: batchSize * seqLen + 1 }, (_, i) =>
    Math.floor((philox4x32([i, 0, 0, 0], key)[0] / 2 ** 32) * vocabSize),
  )
}
