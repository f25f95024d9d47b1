import {
  type FoldDefinition,
  foldGpu,
  type GpuEngine,
  linearGroups,
  MAX_GROUPS,
  wgslForms,
} from '@tau/tensor/kernel'
import { type DecayForm, decayForm } from '../../attention-gpu.ts'
import type { AttentionSizes, DecayBuffers } from '../../attention-shape.ts'
import type { LambdaAttentionGradKernel, LambdaAttentionKernel } from '../lambda-attention.ts'
import type { LambdaHandles } from '../pass.ts'
import { lambdaAttentionGpu, lambdaAttentionGradGpu } from './gpu.ts'
import { TILE } from './wgsl-pairs.ts'
import { BACKWARD_ROWS, KEY_THREADS, keysKernel, ROW_THREADS, STATS_KERNEL } from './wgsl-rows.ts'
import { keyGradKernel, queryGradKernel } from './wgsl-scores.ts'
import { outKernel, sumGroups, valueGradKernel } from './wgsl-sums.ts'

/** With fewer queries, as in decoding, most of a tile is empty. Then the portable kernel runs. */
const FEW_QUERIES = 4

const isPortable = ({ batch, heads, queries }: AttentionSizes) =>
  queries < FEW_QUERIES || queries > MAX_GROUPS || batch * heads > MAX_GROUPS

export const sizeArgs = ({ heads, kvHeads, queries, keys, valueDim, capacity }: AttentionSizes) => [
  ...[heads, heads / kvHeads, queries, keys, valueDim, capacity],
]

type PackKeys = (inputs: LambdaHandles, keys: number, sizes: AttentionSizes) => void

export function packKeysWgsl(engine: GpuEngine): PackKeys {
  const launchOf = wgslForms(engine, (form: DecayForm) => keysKernel(form))
  const buffersOf = (logDecay: DecayBuffers | undefined) =>
    [logDecay?.high, logDecay?.low].filter((handle) => handle !== undefined)
  return ({ lambdaK, logDecay }, target, sizes) => {
    const length = sizes.batch * sizes.heads * sizes.keys
    launchOf(decayForm(logDecay))(
      [lambdaK, ...buffersOf(logDecay), target],
      [...sizeArgs(sizes), sizes.decayBatch, length],
      linearGroups(length, KEY_THREADS),
    )
  }
}

export const VECTOR = 4
export const ROW_LENGTH = 16

/** Sums the moments of each row. */
export const SUM_MOMENTS: FoldDefinition = {
  name: 'sumMoments',
  op: 'sum',
  args: { x: 'buffer' },
  term: (at) => `x[${at}]`,
}

export function lambdaAttentionWgsl(engine: GpuEngine): LambdaAttentionKernel {
  const portable = lambdaAttentionGpu(engine)
  const packKeys = packKeysWgsl(engine)
  const statsOf = engine.wgsl(STATS_KERNEL)
  const outOf = wgslForms(engine, outKernel)
  return (inputs, { out, rest, stats }, sizes) => {
    if (isPortable(sizes)) {
      portable(inputs, { out, rest, stats }, sizes)
      return
    }
    const { batch, heads, queries, keys, valueDim } = sizes
    const allHeads = batch * heads
    const numbers = sizeArgs(sizes)
    using packed = engine.scratch(allHeads * keys * VECTOR)
    using rows = engine.scratch(allHeads * queries * ROW_LENGTH)
    packKeys(inputs, packed.handle, sizes)
    const { lambdaQ, temperature, v } = inputs
    statsOf([lambdaQ, temperature, packed.handle, stats, rows.handle], numbers, [queries, allHeads, 1])
    outOf(valueDim % VECTOR === 0, rest !== undefined)(
      [v, packed.handle, rows.handle, out, ...(rest === undefined ? [] : [rest])],
      numbers,
      sumGroups(queries, valueDim, allHeads),
    )
  }
}

export function lambdaAttentionGradWgsl(engine: GpuEngine): LambdaAttentionGradKernel {
  const portable = lambdaAttentionGradGpu(engine)
  const packKeys = packKeysWgsl(engine)
  const rowsOf = engine.wgsl(BACKWARD_ROWS)
  const queryGrad = wgslForms(engine, queryGradKernel)
  const keyGrad = wgslForms(engine, keyGradKernel)
  const valueGrad = wgslForms(engine, valueGradKernel)
  const sumRows = foldGpu(engine, SUM_MOMENTS)
  return (inputs, saved, grads, sizes, spans) => {
    if (isPortable(sizes)) {
      portable(inputs, saved, grads, sizes, spans)
      return
    }
    const { batch, heads, kvHeads, queries, keys, valueDim } = sizes
    const allHeads = batch * heads
    const numbers = sizeArgs(sizes)
    const wide = valueDim % VECTOR === 0
    const { stats, rest, dOut } = saved
    const { lambdaQ, temperature, v } = inputs
    const { logDecay } = grads
    using packed = engine.scratch(allHeads * keys * VECTOR)
    using rows = engine.scratch(allHeads * queries * ROW_LENGTH)
    using moments = engine.scratch(allHeads * spans * queries)
    packKeys(inputs, packed.handle, sizes)
    rowsOf([lambdaQ, temperature, v, stats, rest, dOut, rows.handle], numbers, [
      Math.ceil(queries / ROW_THREADS),
      allHeads,
      1,
    ])
    const pairs = [v, dOut, packed.handle, rows.handle]
    queryGrad(wide, logDecay !== undefined)(
      [...pairs, grads.dLambdaQ, moments.handle, ...(logDecay ? [logDecay.dNow] : [])],
      [...numbers, Math.ceil(keys / spans)],
      [Math.ceil(queries / TILE), spans, allHeads],
    )
    sumRows([moments.handle], grads.dTemperature, allHeads * spans, queries, 1)
    keyGrad(wide, logDecay !== undefined)(
      [...pairs, grads.dLambdaK, ...(logDecay ? [logDecay.dLogDecay] : [])],
      numbers,
      [Math.ceil(keys / TILE), 1, batch * kvHeads],
    )
    valueGrad(wide)(
      [dOut, packed.handle, rows.handle, grads.dV],
      numbers,
      sumGroups(keys, valueDim, batch * kvHeads),
    )
  }
}
