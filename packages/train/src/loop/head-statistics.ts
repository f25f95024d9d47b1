import type { GPT } from '@tau/model'
import type { Tensor } from '@tau/tensor'
import { distributionsOf, type HeadsRecord, type Quantiles } from '../metrics/records.ts'

/** Mean and quantiles of the values. Quantiles are interpolated linearly between sorted values. Sorts in
 *  place. */
export function quantiles(values: Float32Array): Quantiles {
  values.sort()
  const at = (p: number) => {
    const position = p * (values.length - 1)
    const low = Math.floor(position)
    const high = Math.ceil(position)
    return values[low] + (values[high] - values[low]) * (position - low)
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, q05: at(0.05), q25: at(0.25), q50: at(0.5), q75: at(0.75), q95: at(0.95) }
}

/** Statistics of every head over one batch: the values that its kind of attention reports, and its decay
 *  rate. `tokens` are `batchSize` sequences of equal length. */
export async function headStatistics(
  model: GPT,
  tokens: Int32Array,
  batchSize: number,
): Promise<HeadsRecord['layers']> {
  const layers = startReads(model, tokens, batchSize).map(async (reads, layer) => {
    const values: Record<string, Quantiles[] | number[]> = {}
    for (const [name, heads] of reads.distributions)
      values[name] = [...distributionsOf(values, name), ...(await heads).map(quantiles)]
    Object.assign(values, await model.attention[layer].scalars())
    const decays = (await Promise.all(reads.logDecay)).flat()
    if (decays.length > 0) values.decayRate = decays.map((readings) => meanRate(readings, batchSize))
    return values
  })
  return Promise.all(layers)
}

interface LayerReads {
  readonly distributions: [name: string, heads: Promise<Float32Array[]>][]
  readonly logDecay: Promise<Float32Array[]>[]
}

/** Runs the forward pass and starts all reads while its tensors are alive. Waiting for the reads needs no
 *  tensors. */
function startReads(model: GPT, tokens: Int32Array, batchSize: number): LayerReads[] {
  using _scope = model.device.scope()
  const reads = model.attention.map((): LayerReads => ({ distributions: [], logDecay: [] }))
  model.forward(model.tokens(tokens, batchSize), {
    probe: ({ layer, values, logDecay }) => {
      for (const [name, tensor] of Object.entries(values))
        reads[layer].distributions.push([name, perHead(tensor)])
      if (logDecay) reads[layer].logDecay.push(perHead(logDecay))
    },
  })
  return reads
}

/** [B, H, T] → for each head, its B·T values. */
async function perHead(tensor: Tensor): Promise<Float32Array[]> {
  const [batch, heads, length] = tensor.shape
  const data = await tensor.data()
  return Array.from({ length: heads }, (_, head) => {
    const values = new Float32Array(batch * length)
    for (let b = 0; b < batch; b++)
      values.set(data.subarray((b * heads + head) * length, (b * heads + head + 1) * length), b * length)
    return values
  })
}

/** Mean growth per token of the cumulative decay of one head, over the sequences of the batch. */
function meanRate(readings: Float32Array, batchSize: number): number {
  const length = readings.length / batchSize
  if (length < 2) return 0
  let growth = 0
  for (let b = 0; b < batchSize; b++) growth += readings[(b + 1) * length - 1] - readings[b * length]
  return growth / batchSize / (length - 1)
}
