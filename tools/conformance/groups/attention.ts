import { constantDecay, lambdaAttention } from '@tau/attention'
import { reshape, type Tensor } from '@tau/tensor'
import { decayOf, outAndGradients, type Runner, tensorOf } from '../context.ts'

/** [H, ...] → [1, H, ...]. */
const batched = (x: Tensor): Tensor => reshape(x, [1, ...x.shape])

export const attention: Runner = async ({ inputs }, { device, algorithm }) => {
  const names = ['lambda_q', 'lambda_k', 'v', 'temperature', 'gamma'] as const
  const tensors = Object.fromEntries(names.map((name) => [name, tensorOf(device, inputs.array(name))]))
  const { lambda_q, lambda_k, v, temperature, gamma } = tensors
  const length = lambda_k.shape[1]
  // What f32 leaves of the readings γ·t; γ itself is rounded too.
  const low = inputs
    .array('gamma')
    .data.flatMap((rate) => Array.from({ length }, (_, t) => rate * t - Math.fround(Math.fround(rate) * t)))
  const decayLow = device.tensor(low, [gamma.size, length])
  return outAndGradients(tensors, batched(tensorOf(device, inputs.array('r'))), () =>
    lambdaAttention({
      lambdaQ: batched(lambda_q),
      lambdaK: batched(lambda_k),
      v: batched(v),
      temperature,
      algorithm,
      logDecay: { high: constantDecay(gamma, length).high, low: decayLow },
    }),
  )
}

export const attentionDecay: Runner = async ({ inputs }, { device, algorithm }) => {
  const names = ['lambda_q', 'lambda_k', 'v', 'temperature'] as const
  const tensors = Object.fromEntries(names.map((name) => [name, tensorOf(device, inputs.array(name))]))
  const { lambda_q, lambda_k, v, temperature } = tensors
  const { shape, data } = inputs.array('clock')
  const { high, low } = decayOf(device, data, shape)
  return outAndGradients({ ...tensors, clock: high }, batched(tensorOf(device, inputs.array('r'))), () =>
    lambdaAttention({
      lambdaQ: batched(lambda_q),
      lambdaK: batched(lambda_k),
      v: batched(v),
      temperature,
      algorithm,
      logDecay: { high: batched(high), low: batched(low) },
    }),
  )
}
