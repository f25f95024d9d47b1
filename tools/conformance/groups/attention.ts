import { lambdaAttention, steadyClock } from '@tau/attention'
import { reshape, type Tensor } from '@tau/tensor'
import { outAndGradients, type Runner, tensorOf } from '../context.ts'

/** [H, ...] → [1, H, ...]. */
const batched = (x: Tensor): Tensor => reshape(x, [1, ...x.shape])

export const attention: Runner = async ({ inputs }, { device }) => {
  const names = ['lambda_q', 'lambda_k', 'v', 'temperature', 'gamma'] as const
  const tensors = Object.fromEntries(names.map((name) => [name, tensorOf(device, inputs.array(name))]))
  const { lambda_q, lambda_k, v, temperature, gamma } = tensors
  return outAndGradients(tensors, batched(tensorOf(device, inputs.array('r'))), () =>
    lambdaAttention({
      lambdaQ: batched(lambda_q),
      lambdaK: batched(lambda_k),
      v: batched(v),
      temperature,
      clock: steadyClock(gamma, lambda_k.shape[1]),
    }),
  )
}

export const attentionClock: Runner = async ({ inputs }, { device }) => {
  const names = ['lambda_q', 'lambda_k', 'v', 'temperature', 'clock'] as const
  const tensors = Object.fromEntries(names.map((name) => [name, tensorOf(device, inputs.array(name))]))
  const { lambda_q, lambda_k, v, temperature, clock } = tensors
  return outAndGradients(tensors, batched(tensorOf(device, inputs.array('r'))), () =>
    lambdaAttention({
      lambdaQ: batched(lambda_q),
      lambdaK: batched(lambda_k),
      v: batched(v),
      temperature,
      clock: batched(clock),
    }),
  )
}
