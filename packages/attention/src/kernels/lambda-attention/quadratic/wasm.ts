import { type CpuEngine, rowGrain, touches } from '@tau/tensor/kernel'
import { blocks, topDots } from '../../../generated/constants.ts'
import { attentionWork } from '../../attention-work.ts'
import { attentionWasm } from '../../cpu-module.ts'
import type { LambdaAttentionGradKernel, LambdaAttentionKernel } from '../lambda-attention.ts'
import { STATS } from '../stats.ts'

/** Queries per work item. */
const { QUERIES } = blocks
/** Rows per work item. */
const { LANES } = topDots

export function lambdaAttentionWasm(engine: CpuEngine): LambdaAttentionKernel {
  const launch = engine.kernel(attentionWasm, 'lambdaAttention')
  return ({ lambdaQ, lambdaK, v, temperature, logDecay }, { out, rest = 0, stats }, sizes) => {
    const { batch, heads, kvHeads, queries, keys, valueDim, capacity, decayBatch } = sizes
    launch(
      [
        ...[lambdaQ, lambdaK, v, temperature, logDecay?.high ?? 0, logDecay?.low ?? 0, out, rest, stats],
        ...[heads, kvHeads, queries, keys, valueDim, capacity, decayBatch],
      ],
      batch * heads * Math.ceil(queries / QUERIES),
      1,
      attentionWork(sizes, {
        perPair: 2 * valueDim, // weight·v; the few operations of a score are not counted
        perQuery: 1 + (rest ? 2 : 1) * valueDim + STATS,
        perKey: 1 + valueDim,
      }),
    )
  }
}

export function lambdaAttentionGradWasm(engine: CpuEngine): LambdaAttentionGradKernel {
  const launch = engine.kernel(attentionWasm, 'lambdaAttentionGrad')
  const launchDots = engine.kernel(attentionWasm, 'topDots')
  return ({ lambdaQ, lambdaK, v, temperature, logDecay }, { stats, rest, dOut }, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, valueDim, decayBatch } = sizes
    const { dLambdaQ, dLambdaK, dV, dTemperature } = grads
    const { dLogDecay = 0, dNow = 0 } = grads.logDecay ?? {}
    const rows = batch * heads * queries
    using dots = engine.scratch(2 * rows * Float32Array.BYTES_PER_ELEMENT)
    launchDots(
      [dOut, rest, v, stats, dots.handle, rows, queries, heads / kvHeads, keys, valueDim],
      Math.ceil(rows / LANES),
      rowGrain(LANES * valueDim),
      touches(rows * (2 * valueDim + STATS + 2)),
    )
    launch(
      [
        ...[
          lambdaQ,
          lambdaK,
          v,
          temperature,
          logDecay?.high ?? 0,
          logDecay?.low ?? 0,
          stats,
          dOut,
          dots.handle,
        ],
        ...[dLambdaQ, dLambdaK, dV, dTemperature, dLogDecay, dNow],
        ...[heads, kvHeads, queries, keys, valueDim, spans, decayBatch],
      ],
      batch * kvHeads * spans,
      1,
      attentionWork(sizes, {
        perPair: 4 * valueDim, // dOut·v, weight·dOut
        perQuery: 2 + valueDim + STATS + 2, // λq and its gradient, dOut, stats, dots
        perKey: 2 * (1 + valueDim),
      }),
    )
  }
}
