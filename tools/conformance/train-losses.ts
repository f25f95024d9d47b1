import { csrFromDense } from '@tau/graph'
import { createModel, type ModelOptions } from '@tau/model'
import { type Device, Random } from '@tau/tensor'
import { defaultTrainOptions, learningRate, modelOptimizer, TokenBatches, trainStep } from '@tau/train'

/** Two layers, width 64, T 64. */
const TINY = { vocabSize: 61, seqLen: 64, nLayer: 2, nHead: 2, nEmbd: 64 } as const satisfies ModelOptions
const BATCH = 1

/** A ring's Laplacian, [size, size]. */
function ringLaplacian(size: number) {
  const data = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (const [j, weight] of [
      [i, 2],
      [(i + 1) % size, -1],
      [(i + size - 1) % size, -1],
    ])
      data[i * size + j] += weight
  return csrFromDense({ data, rows: size, cols: size })
}

/** Tokens with something to learn: apart from noise, each token follows from the one before. */
function corpus(length: number): Int32Array {
  const random = new Random(3)
  const ids = new Int32Array(length)
  for (let i = 1; i < length; i++)
    ids[i] = random.integer(4) === 0 ? random.integer(TINY.vocabSize) : (ids[i - 1] * 7 + 3) % TINY.vocabSize
  return ids
}

/** Trains a tiny model of the given kind and returns the loss of every step; `onStep` is called after
 *  each. */
export async function trainLosses(
  device: Device,
  steps: number,
  options: ModelOptions,
  onStep: (step: number) => Promise<void> = async () => {},
): Promise<number[]> {
  using model = createModel(
    device,
    { ...TINY, ...options },
    { ...(options.attention !== 'dot' && { laplacian: ringLaplacian(TINY.nEmbd / TINY.nHead) }), seed: 5 },
  )
  using optimizer = modelOptimizer(model, defaultTrainOptions)
  const batches = new TokenBatches({
    ids: corpus(20_000),
    seqLen: TINY.seqLen,
    batchSize: BATCH,
    seed: 1,
  })
  const losses: number[] = []
  for (let step = 0; step < steps; step++) {
    const lr = learningRate(step, { peak: 1e-3, floor: 1e-4, warmup: 10, total: steps })
    const result = trainStep(model, optimizer, [batches.batch(step)], BATCH, lr, {
      checkpointActivations: false,
    })
    losses.push(await result.loss.item())
    for (const tensor of [result.loss, result.norm, ...result.grads]) tensor.dispose()
    await onStep(step)
  }
  return losses
}
