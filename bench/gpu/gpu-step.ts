import { buildManifold } from '@tau/graph'
import { createModel, manifoldDim, resolveConfig } from '@tau/model'
import type { Device } from '@tau/tensor'
import { randomArray } from '@tau/testing'
import { defaultTrainOptions, modelOptimizer, trainStep } from '@tau/train'

/** An optimizer step that leaves the model as it is: its learning rate is 0. */
interface TrainingStep {
  readonly shape: string
  readonly tokens: number
  /** Ends when the loss has been read. */
  run(): Promise<void>
}

/** nano for a software driver on two cores, tau-30m with 8 × 1024 tokens for a GPU. A scope must be open: it
 *  frees what a step makes. */
export async function trainingStep(device: Device, isSoftware: boolean): Promise<TrainingStep> {
  const [size, batch, length] = isSoftware ? (['nano', 1, 128] as const) : (['tau-30m', 8, 1024] as const)
  const config = resolveConfig({ size, preset: 'default' })
  const embeddings = { data: randomArray(500 * 64, 1), cols: 64 }
  const { laplacian } = await buildManifold(embeddings, { dim: manifoldDim(config) })
  const model = createModel(device, config, { laplacian, seed: 1 })
  const optimizer = modelOptimizer(model, defaultTrainOptions)
  const tokens = batch * length
  const ids = (seed: number) =>
    Int32Array.from(randomArray(tokens, seed), (x) => Math.abs(Math.floor(x * 1e6)) % config.vocabSize)
  const data = { tokens: ids(2), targets: ids(3) }
  return {
    shape: `${size} ${batch}x${length}`,
    tokens,
    async run() {
      const { loss, norm, grads } = trainStep(model, optimizer, [data], batch, 0)
      await loss.item()
      for (const tensor of [loss, norm, ...grads]) tensor.dispose()
    },
  }
}
