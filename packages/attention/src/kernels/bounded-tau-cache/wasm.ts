import { type CpuEngine, F64_BYTES, type Handle, touches } from '@tau/tensor/kernel'
import { boundedSums, boundedTauCache } from '../../generated/constants.ts'
import type { DecayBuffers } from '../attention-shape.ts'
import { attentionWasm } from '../cpu-module.ts'

const { HEAD_BYTES, BIN_BYTES } = boundedTauCache
const { SUM_HEAD } = boundedSums

/** Sizes of the state of `batch` × `heads` query heads. Each head takes `stateBytes`. */
export interface BoundedSizes {
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly valueDim: number
  readonly bins: number
  readonly stateBytes: number
}

/** What a launch does for each of `length` times in order: it appends the keys, if given; then it attends
 *  with the query, if given. */
export interface BoundedSteps {
  readonly length: number
  readonly keys?: { readonly lambdaK: Handle; readonly v: Handle; readonly logDecay: Partial<DecayBuffers> }
  readonly queries?: { readonly lambdaQ: Handle; readonly out: Handle }
}

export type BoundedTauCacheKernel = (state: Handle, temperature: Handle, steps: BoundedSteps) => void

export function boundedTauCacheWasm(engine: CpuEngine, sizes: BoundedSizes): BoundedTauCacheKernel {
  const launch = engine.kernel(attentionWasm, 'boundedTauCache')
  const { batch, heads, kvHeads, valueDim, bins, stateBytes } = sizes
  return (state, temperature, { length, keys, queries }) => {
    const perTime = (keys ? 1 + valueDim : 0) + (queries ? 1 + valueDim : 0)
    launch(
      [
        ...[state, stateBytes, bins, temperature],
        ...[keys?.lambdaK ?? 0, keys?.v ?? 0, keys?.logDecay.high ?? 0, keys?.logDecay.low ?? 0],
        ...[queries?.lambdaQ ?? 0, queries?.out ?? 0, heads, kvHeads, length, valueDim],
      ],
      batch * heads,
      1,
      touches(batch * heads * length * perTime), // without the state: what is read of it depends on its numbers
    )
  }
}

/** Bytes of one head's state, laid out as in assembly/bounded-tau-cache.ts: the newest reading, one f64 per
 *  bin for its range of λ, two sums per bin, and one sum per node of the levels above. A sum is a leader's λ
 *  and reading, a mass and `dim` values. */
export function stateBytes(bins: number, dim: number): number {
  let sums = 2 * bins
  for (let nodes = (bins + 1) >> 1; nodes > 1; nodes = (nodes + 1) >> 1) sums += nodes
  return HEAD_BYTES + bins * BIN_BYTES + sums * (SUM_HEAD + dim * F64_BYTES)
}
