import { readFileSync } from 'node:fs'
import { type Csr, csrFromDense } from '@tau/graph'
import { createModel, type GPT, type ModelOptions } from '@tau/model'
import type { Device, Tensor } from '@tau/tensor'
import { splitHeldOut } from './data/text.ts'
import { defaultTrainOptions, type TrainOptions } from './loop/options.ts'
import { type TrainData, type TrainTask, train } from './loop/train.ts'
import type { EvalRecord, MetricsRecord, StepRecord } from './metrics/records.ts'
import { trainTokenizer } from './tokenizer/train.ts'

/** Distinct sizes: 2 layers, 2 heads of 10 channels, windows of 13 tokens. */
export const tiny = {
  vocabSize: 293,
  seqLen: 13,
  nLayer: 2,
  nHead: 2,
  nEmbd: 20,
} as const satisfies ModelOptions

/** Options of a run that takes a second or less. */
export const tinyOptions: TrainOptions = {
  ...defaultTrainOptions,
  steps: 6,
  batchSize: 3,
  warmup: 2,
  evalEvery: 3,
  evalTokens: 100,
  headsEvery: 3,
  sampleEvery: 0,
  checkpointEvery: 0,
}

/** Laplacian [size, size] of a ring. Each feature has three neighbours on either side, with weight 1 / (1 +
 *  distance²). */
function ringLaplacian(size: number): Csr {
  const data = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (const distance of [1, 2, 3])
      for (const j of [(i + distance) % size, (i + size - distance) % size]) {
        const weight = 1 / (1 + distance * distance)
        data[i * size + j] -= weight
        data[i * size + i] += weight
      }
  return csrFromDense({ data, rows: size, cols: size })
}

/** A tiny model; options change its shape or parts. */
export function tinyModel(device: Device, options: ModelOptions = {}, seed = 5): GPT {
  return createModel(device, { ...tiny, ...options }, { laplacian: ringLaplacian(10), seed })
}

let data: TrainData | undefined

/** The beginning of Moby-Dick as tokens of a tiny vocabulary. A tenth of it is held out. */
export function tinyData(): TrainData {
  if (!data) {
    const text = readFileSync(new URL('./tokenizer/fixtures/corpus.txt', import.meta.url), 'utf8')
    const tokenizer = trainTokenizer(text, { vocabSize: tiny.vocabSize })
    const { train, heldOut } = splitHeldOut(tokenizer.encode(text), 0.1)
    data = {
      train,
      val: heldOut,
      bytesPerToken: tokenizer.byteLength(heldOut.subarray(1)) / (heldOut.length - 1),
    }
  }
  return data
}

/** Reads the values of named tensors, such as parameters. */
export async function readAll(tensors: ReadonlyMap<string, Tensor>): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>()
  for (const [name, tensor] of tensors) values.set(name, await tensor.data())
  return values
}

/** Trains on the tiny data and returns the records. `onRecord` is called after a record was stored. */
export async function recordRun(
  task: Omit<TrainTask, 'options' | 'data'> & { data?: TrainData; options?: Partial<TrainOptions> },
) {
  const records: MetricsRecord[] = []
  const result = await train({
    data: tinyData(),
    ...task,
    options: { ...tinyOptions, ...task.options },
    onRecord: async (line) => {
      records.push(line)
      await task.onRecord?.(line)
    },
  })
  return { records, result, steps: stepsOf(records) }
}

export const stepsOf = (records: readonly MetricsRecord[]): StepRecord[] =>
  records.filter((line): line is StepRecord => line.kind === 'step')

export const evalsOf = (records: readonly MetricsRecord[]): EvalRecord[] =>
  records.filter((line): line is EvalRecord => line.kind === 'eval')

/** Whether this Node can run the TypeScript sources in a child process. It must support `using` and strip
 *  types. */
export const canRunSources = Number(process.versions.node.split('.')[0]) >= 24

/** τ of every group of heads, in order; undefined for a group without τ. */
export const tausOf = ({ attention }: GPT): (number | undefined)[] =>
  attention.flatMap(({ groups }) => groups.map((group) => group.attention.state?.tau))
