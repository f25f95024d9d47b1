import { performance } from 'node:perf_hooks'
import { openBlas } from '@tau/blas'
import { buildManifold } from '@tau/graph'
import { countParameters, createModel, type GPT, type ModelConfig, resolveConfig } from '@tau/model'
import { BackendError, cpu, type Device } from '@tau/tensor'
import { expectNear, randomArray } from '@tau/testing'
import { defaultTrainOptions, modelOptimizer, trainStep } from '@tau/train'
import { deviceLabel } from '../harness/lines.ts'
import type { ModelRun, OurRun } from './processes.ts'

// tau-30m in a process by itself, so the peak memory is its own. It runs training steps, or decodes tokens
// behind a filled cache. The argument is an OurRun in JSON, the answer a line of JSON.

const BATCH = 1
/** Longer sequences checkpoint their activations. Those of all layers together fit in WebAssembly memory only
 *  up to about this length. */
const LONGEST_WHOLE = 8192

/** Seeded ids. As in a text, a few are frequent and most are rare. */
const idsOf = (count: number, vocabSize: number, seed: number): Int32Array =>
  Int32Array.from(randomArray(count, seed), (x) => Math.floor(vocabSize ** (Math.abs(x * 7919) % 1)) - 1)

/** Milliseconds of each optimizer step after the first `warmUp`. The loss must begin at that of a random
 *  guess, and fall. */
async function train(model: GPT, { length, warmUp, steps }: OurRun): Promise<number[]> {
  const { vocabSize } = model.config
  const optimizer = modelOptimizer(model, defaultTrainOptions)
  const batch = { tokens: idsOf(length, vocabSize, 2), targets: idsOf(length, vocabSize, 3) }
  const samples: number[] = []
  let before = Number.POSITIVE_INFINITY
  for (let i = 0; i < warmUp + steps; i++) {
    const start = performance.now()
    const { loss, norm, grads } = trainStep(model, optimizer, [batch], BATCH, defaultTrainOptions.minLr, {
      checkpointActivations: length > LONGEST_WHOLE,
    })
    const value = await loss.item()
    if (i >= warmUp) samples.push(performance.now() - start)
    for (const tensor of [loss, norm, ...grads]) tensor.dispose()
    if (i === 0) expectNear([value], [Math.log(vocabSize)], { rtol: 0.02 })
    if (!(value < before))
      throw new Error(`bench: the loss of one batch must fall from step to step, got ${before} and ${value}`)
    before = value
  }
  return samples
}

/** Milliseconds of each token after the first `warmUp`, from ids to logits, behind `length` tokens. */
async function decode(model: GPT, { length, warmUp, steps }: OurRun): Promise<number[]> {
  const prompt = idsOf(length, model.config.vocabSize, 2)
  using state = model.decodeState()
  const logits = async (ids: Int32Array) => {
    using _scope = model.device.scope()
    return model.forward(model.tokens(ids), { state, lastOnly: true }).data()
  }
  await logits(prompt)
  const samples: number[] = []
  for (let i = 0; i < warmUp + steps; i++) {
    const start = performance.now()
    const values = await logits(prompt.subarray(i, i + 1))
    if (i >= warmUp) samples.push(performance.now() - start)
    if (!values.every(Number.isFinite))
      throw new Error(`bench: logits must be finite, got others at token ${i}`)
  }
  return samples
}

async function laplacianFor({ attention, nEmbd, nHead }: ModelConfig) {
  if (attention === 'dot') return undefined
  const dim = nEmbd / nHead
  const { laplacian } = await buildManifold({ data: randomArray(500 * dim, 1), cols: dim }, { dim })
  return laplacian
}

async function run(device: Device, options: OurRun): Promise<ModelRun> {
  const { mode, attention, length, warmUp, steps } = options
  const seqLen = mode === 'decode' ? length + warmUp + steps : length
  const config = resolveConfig({ size: 'tau-30m', attention, seqLen })
  const model = createModel(device, config, { laplacian: await laplacianFor(config), seed: 1 })
  const ms = await (mode === 'train' ? train : decode)(model, options)
  const peakBytes = 1024 * process.resourceUsage().maxRSS
  return { label: deviceLabel(device), ms, peakBytes, parameters: countParameters(config) }
}

const options = JSON.parse(process.argv[2]) as OurRun
try {
  const device = await cpu({
    ...{ threads: options.threads, simd: 'widest' },
    ...(options.blas && { gemm: openBlas(), strict: true }),
  })
  try {
    console.log(JSON.stringify(await run(device, options)))
  } finally {
    await device.close()
  }
} catch (error) {
  if (!(error instanceof BackendError)) throw error
  console.log(JSON.stringify({ absent: error.message }))
}
