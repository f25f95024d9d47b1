import type { CpuEngine } from '@tau/tensor'
import { attentionWasm } from '../cpu-module.ts'
import type { LambdaAttentionGradKernel, LambdaAttentionKernel } from './lambda-attention.ts'

/** Queries per item, as in assembly/blocks.ts. */
const QUERIES = 48

export function lambdaAttentionWasm(engine: CpuEngine): LambdaAttentionKernel {
  const launch = engine.kernel(attentionWasm, 'lambdaAttention')
  return ({ lambdaQ, lambdaK, v, temperature, clock = 0 }, out, stats, sizes) => {
    const { batch, heads, kvHeads, queries, keys, valueDim, capacity, clockBatch } = sizes
    launch(
      [
        ...[lambdaQ, lambdaK, v, temperature, clock, out, stats],
        ...[heads, kvHeads, queries, keys, valueDim, capacity, clockBatch],
      ],
      batch * heads * Math.ceil(queries / QUERIES),
      1,
    )
  }
}

export function lambdaAttentionGradWasm(engine: CpuEngine): LambdaAttentionGradKernel {
  const launch = engine.kernel(attentionWasm, 'lambdaAttentionGrad')
  return ({ lambdaQ, lambdaK, v, temperature, clock = 0 }, saved, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, valueDim, clockBatch } = sizes
    const { dLambdaQ, dLambdaK, dV, dTemperature } = grads
    const { dClock = 0, dNow = 0 } = grads.clock ?? {}
    launch(
      [
        ...[lambdaQ, lambdaK, v, temperature, clock, saved.stats, saved.dOut, saved.delta],
        ...[dLambdaQ, dLambdaK, dV, dTemperature, dClock, dNow],
        ...[heads, kvHeads, queries, keys, valueDim, spans, clockBatch],
      ],
      batch * kvHeads * spans,
      1,
    )
  }
}
