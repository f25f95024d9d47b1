import type { GPT } from '@tau/model'
import type { Tensor } from '@tau/tensor'
import type { HeadsRecord, Quantiles } from '../metrics/records.ts'

/** Mean and quantiles, by linear interpolation between order statistics. Sorts in place. */
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

/** λ, temperature, τ and clock of every head over one batch: `tokens` are `batchSize` sequences of equal length. */
export async function headStatistics(
  model: GPT,
  tokens: Int32Array,
  batchSize: number,
): Promise<HeadsRecord['layers']> {
  const layers = startReads(model, tokens, batchSize).map(async (reads, layer) => {
    const [lambdaQ, lambdaK, clock, { temperature, tau }] = await Promise.all([
      reads.lambdaQ,
      reads.lambdaK,
      reads.clock,
      model.attention[layer].scales(),
    ])
    return {
      lambdaQ: lambdaQ.map(quantiles),
      lambdaK: lambdaK.map(quantiles),
      temperature,
      tau,
      clockRate: clock.map((readings) => meanRate(readings, batchSize)),
    }
  })
  return Promise.all(layers)
}

/** Reads begin while the forward pass's tensors are alive; waiting needs none of them. */
function startReads(model: GPT, tokens: Int32Array, batchSize: number) {
  using _scope = model.device.scope()
  const reads: {
    lambdaQ: Promise<Float32Array[]>
    lambdaK: Promise<Float32Array[]>
    clock: Promise<Float32Array[]>
  }[] = []
  model.forward(model.tokens(tokens, batchSize), {
    probe: ({ layer, lambdaQ, lambdaK, clock }) => {
      reads[layer] = { lambdaQ: perHead(lambdaQ), lambdaK: perHead(lambdaK), clock: perHead(clock) }
    },
  })
  return reads
}

/** [B, H, T] → per head its B·T values. */
async function perHead(tensor: Tensor | undefined): Promise<Float32Array[]> {
  if (!tensor) return []
  const [batch, heads, length] = tensor.shape
  const data = await tensor.data()
  return Array.from({ length: heads }, (_, head) => {
    const values = new Float32Array(batch * length)
    for (let b = 0; b < batch; b++)
      values.set(data.subarray((b * heads + head) * length, (b * heads + head + 1) * length), b * length)
    return values
  })
}

/** Mean advance per token of one head's clock, over the sequences of the batch. */
function meanRate(readings: Float32Array, batchSize: number): number {
  const length = readings.length / batchSize
  if (length < 2) return 0
  let advance = 0
  for (let b = 0; b < batchSize; b++) advance += readings[(b + 1) * length - 1] - readings[b * length]
  return advance / batchSize / (length - 1)
}
