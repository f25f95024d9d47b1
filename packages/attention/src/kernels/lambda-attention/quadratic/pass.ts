import { type Device, sum, type Tensor } from '@tau/tensor'
import {
  type AttentionSizes,
  decayGrad,
  decayHandles,
  emptyDecayGrads,
  spansOf,
} from '../../attention-shape.ts'
import { kernelsOf } from '../../table.ts'
import type { LambdaHandles, LambdaPass } from '../pass.ts'
import { STATS } from '../stats.ts'

/** The forward pass that reads every pair, on buffers. Without `tape` nothing is kept for gradients. */
export function quadraticPass(
  device: Device,
  handles: LambdaHandles,
  sizes: AttentionSizes,
  tape: boolean,
): LambdaPass {
  const { batch, heads, kvHeads, queries, keys, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const rest = tape ? device.empty([batch, heads, queries, valueDim]) : undefined
  const stats = device.empty([batch * heads * queries, STATS])
  kernelsOf(device).lambdaAttention(
    handles,
    { out: out.handle, rest: rest?.handle, stats: stats.handle },
    sizes,
  )
  if (!rest) stats.dispose()
  return {
    out,
    backward(dOut, decayWanted) {
      if (!rest) throw new Error('internal: quadraticPass must have been run with a tape for its gradients')
      const spans = spansOf(sizes)
      const dLambdaQ = device.empty([batch, heads, spans, queries])
      const dLambdaK = device.empty([batch, kvHeads, keys])
      const dV = device.empty([batch, kvHeads, keys, valueDim])
      const dTemperature = device.empty([batch, heads, spans])
      const decayGrads = decayWanted ? emptyDecayGrads(device, sizes, spans) : undefined
      kernelsOf(device).lambdaAttentionGrad(
        handles,
        { stats: stats.handle, rest: rest.handle, dOut: dOut.handle },
        {
          dLambdaQ: dLambdaQ.handle,
          dLambdaK: dLambdaK.handle,
          dV: dV.handle,
          dTemperature: dTemperature.handle,
          logDecay: decayHandles(decayGrads),
        },
        sizes,
        spans,
      )
      return {
        lambdaQ: spans === 1 ? dLambdaQ.view([batch, heads, queries]) : sum(dLambdaQ, [2]),
        lambdaK: dLambdaK,
        v: dV,
        temperature: sum(dTemperature, [0, 2]),
        logDecay: (readings: Tensor) => decayGrad(decayGrads, readings, sizes),
      }
    },
  }
}
