import type { GPT } from '@tau/model'
import { type Profile, philox4x32, profile } from '@tau/tensor'
import { TokenBatches } from '../data/batches.ts'
import { modelOptimizer, type OptimizerChoice } from './optimizer.ts'
import type { TrainOptions } from './options.ts'
import { trainStep } from './step.ts'

/** Steps before those that count: memory grows and code is compiled in the first of them. */
export const WARM_UP_STEPS = 3
/** Steps of which the one with the median time is the profile. */
export const PROFILED_STEPS = 3

/** Where the time of one training step goes: drawing of the batches, `data`, then `forward`, `backward` and `optimizer`, and reading
 *  of the loss. Steps have learning rate 0: they do the work of any other and leave the model as it is, to the bit.
 *  `ids`: tokens to train on, at least seqLen + 1; default random ones, which cost the same. cpu backend only. */
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
