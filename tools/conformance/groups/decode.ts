import { TauCache } from '@tau/attention'
import { reshape, slice } from '@tau/tensor'
import type { Found } from '../compare.ts'
import { decayOf, type Runner, tensorOf } from '../context.ts'
import { decodeModel } from './model.ts'

/** Attention cases give the newest query's output for each prefix. Model cases give logits step by step. */
export const decode: Runner = async (fixture, context) => {
  const { inputs } = fixture
  if (!inputs.has('prefix_lengths')) return decodeModel(fixture, context)
  const { device } = context
  const lambdaQ = tensorOf(device, inputs.array('lambda_q'))
  const lambdaK = tensorOf(device, inputs.array('lambda_k'))
  const v = tensorOf(device, inputs.array('v'))
  const temperature = tensorOf(device, inputs.array('temperature'))
  const gamma = inputs.array('gamma').data
  const [heads] = lambdaQ.shape
  const [kvHeads, length, valueDim] = v.shape
  using cache = new TauCache(device, { batch: 1, heads, kvHeads, valueDim, decay: true, temperature })
  const wanted = inputs.array('prefix_lengths').data
  const out: number[] = []
  for (let t = 0; t < length; t++) {
    const readings = gamma.map((rate) => rate * t)
    cache.append({
      lambdaK: reshape(slice(lambdaK, 1, t, t + 1), [1, kvHeads, 1]),
      v: reshape(slice(v, 1, t, t + 1), [1, kvHeads, 1, valueDim]),
      logDecay: decayOf(device, readings, [1, heads, 1]),
    })
    const answer = cache.attend({ lambdaQ: reshape(slice(lambdaQ, 1, t, t + 1), [1, heads, 1]) })
    if (wanted.includes(t + 1)) out.push(...(await answer.data()))
  }
  return { out } satisfies Found
}
