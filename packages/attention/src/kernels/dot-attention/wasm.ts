import type { CpuEngine } from '@tau/tensor/kernel'
import { blocks } from '../../generated/constants.ts'
import { attentionWork } from '../attention-work.ts'
import { attentionWasm } from '../cpu-module.ts'
import { type DotAttentionGradKernel, type DotAttentionKernel, windowKeys } from './dot-attention.ts'

/** Queries per work item. */
const { QUERIES } = blocks

export function dotAttentionWasm(engine: CpuEngine): DotAttentionKernel {
  const launch = engine.kernel(attentionWasm, 'dotAttention')
  return ({ q, k, v, logDecay }, out, stats, sizes) => {
    const { batch, heads, kvHeads, queries, keys, dim, valueDim, capacity, decayBatch, scale } = sizes
    launch(
      [
        ...[q, k, v, logDecay?.high ?? 0, logDecay?.low ?? 0, out, stats, scale],
        ...[heads, kvHeads, queries, keys, dim, valueDim, capacity, decayBatch, windowKeys(sizes)],
      ],
      batch * heads * Math.ceil(queries / QUERIES),
      1,
      attentionWork(sizes, {
        perPair: 2 * (dim + valueDim), // q·k, weight·v
        perQuery: dim + valueDim + 2, // q, out, stats
        perKey: dim + valueDim,
      }),
    )
  }
}

export function dotAttentionGradWasm(engine: CpuEngine): DotAttentionGradKernel {
  const launch = engine.kernel(attentionWasm, 'dotAttentionGrad')
  return ({ q, k, v, logDecay }, { stats, dOut, delta }, { dQ, dK, dV, logDecay: grads }, sizes, spans) => {
    const { dLogDecay = 0, dNow = 0 } = grads ?? {}
    const { batch, heads, kvHeads, queries, keys, dim, valueDim, decayBatch, scale } = sizes
    launch(
      [
        ...[
          q,
          k,
          v,
          logDecay?.high ?? 0,
          logDecay?.low ?? 0,
          stats,
          dOut,
          delta,
          dQ,
          dK,
          dV,
          dLogDecay,
          dNow,
          scale,
        ],
        ...[heads, kvHeads, queries, keys, dim, valueDim, spans, decayBatch, windowKeys(sizes)],
      ],
      batch * kvHeads * spans,
      1,
      attentionWork(sizes, {
        // dOut·v and one product each for the gradients of q, k and v; recomputed scores do not count.
        perPair: 4 * (dim + valueDim),
        perQuery: 2 * dim + valueDim + 3, // q, dQ, dOut, stats, delta
        perKey: 2 * (dim + valueDim),
      }),
    )
  }
}
