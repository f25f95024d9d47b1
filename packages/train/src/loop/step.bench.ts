import { buildManifold } from '@tau/graph'
import { countParameters, createModel, type ModelOptions, resolveConfig } from '@tau/model'
import { type Device, grad } from '@tau/tensor'
import { expectNear, randomArray, type StepBench } from '@tau/testing'
import { modelOptimizer } from './optimizer.ts'
import { defaultTrainOptions } from './options.ts'
import { trainStep } from './step.ts'

const [BATCH, LENGTH, HEAD_DIM] = [8, 256, 32]
const TOKENS = BATCH * LENGTH
const CHECKED_STEPS = 3

/** Seeded ids. A few ids are frequent and most are rare, as in a text. */
const idsOf = (vocabSize: number, seed: number): Int32Array =>
  Int32Array.from(randomArray(TOKENS, seed), (x) => Math.floor(vocabSize ** (Math.abs(x * 7919) % 1)) - 1)

const embeddings = { data: randomArray(500 * 64, 1), cols: 64 }
const { laplacian } = await buildManifold(embeddings, { dim: HEAD_DIM })

function bench(what: string, options: ModelOptions, rival?: string): StepBench<Device> {
  const config = resolveConfig({ size: 'nano', ...options })
  return {
    name: `train/${what}`,
    shape: `${BATCH}x${LENGTH}`,
    items: { count: TOKENS, unit: 'tokens' },
    flops: 6 * countParameters(config) * TOKENS,
    rival: rival === undefined ? undefined : { name: `train/${rival}`, as: 'dot' },
    prepare(device) {
      const before = device.memory.liveBytes
      const model = createModel(device, config, { laplacian, seed: 1 })
      const optimizer = modelOptimizer(model, defaultTrainOptions)
      const batch = { tokens: idsOf(config.vocabSize, 2), targets: idsOf(config.vocabSize, 3) }
      const step = async (lr: number): Promise<number> => {
        const { loss, norm, grads } = trainStep(model, optimizer, [batch], BATCH, lr)
        const value = await loss.item()
        for (const tensor of [loss, norm, ...grads]) tensor.dispose()
        return value
      }
      let liveBytes = 0
      return {
        liveBytes: () => liveBytes,
        /** The learning rate is 0: a step does the same work, and the model stays as it is. */
        run: async () => void (await step(0)),
        async check() {
          const losses: number[] = []
          for (let i = 0; i < CHECKED_STEPS; i++) losses.push(await step(defaultTrainOptions.lr))
          expectNear([losses[0]], [Math.log(config.vocabSize)], { rtol: 0.02 })
          if (losses.some((loss, i) => i > 0 && !(loss < losses[i - 1])))
            throw new Error(
              `bench: the loss of one batch must fall from step to step, got ${losses.join(', ')}`,
            )
          const [kept, again] = [await step(0), await step(0)]
          if (kept !== again)
            throw new Error(
              `bench: a step with learning rate 0 must change nothing, got ${kept} and ${again}`,
            )
          using _scope = device.scope()
          const { tokens, targets } = batch
          grad(
            () => model.loss(model.tokens(tokens, BATCH), model.targets(targets, BATCH)),
            Array.from(model.parameters.values()),
          )
          liveBytes = device.memory.liveBytes - before
        },
      }
    },
  }
}

/** One optimizer step of the size nano at its full context. */
export const benches: readonly StepBench<Device>[] = [
  bench('nano-tau', { preset: 'default' }, 'nano-dot'),
  bench('nano-tau-paper', { preset: 'paper' }, 'nano-dot'),
  bench('nano-dot', { attention: 'dot' }),
]
