import { foldGpu, type GpuEngine, type Handle, linearGroups, wgslForms } from '@tau/tensor/kernel'
import type { AttentionSizes } from '../../attention-shape.ts'
import type { LambdaHandles } from '../pass.ts'
import { packKeysWgsl, ROW_LENGTH, SUM_MOMENTS, sizeArgs, VECTOR } from '../quadratic/wgsl.ts'
import { BACKWARD_ROWS, ROW_THREADS } from '../quadratic/wgsl-rows.ts'
import { BLOCK, CHANNELS, levelsOf, ORDER_LENGTH, statesLength } from './levels.ts'
import type { LambdaMergeGradKernel, LambdaMergeKernel } from './merge.ts'
import { CHUNK_THREADS, SCAN_THREADS } from './wgsl-chunks.ts'
import { FINISH_QUERIES, FINISH_THREADS, finishKeysKernel } from './wgsl-finish.ts'
import { keyGradKernel } from './wgsl-key-grad.ts'
import {
  JOIN_LEVELS,
  JOIN_ORDERS,
  JOIN_THREADS,
  ORDER_BLOCKS,
  ORDER_LEVELS,
  ORDER_THREADS,
} from './wgsl-order.ts'
import { mergedOutKernel, OUT_THREADS } from './wgsl-out.ts'
import { GRAD_THREADS, queryGradKernel } from './wgsl-query-grad.ts'
import { QUERY_SCAN, queryChunksKernel } from './wgsl-query-sums.ts'
import { MERGED_STATS, STATS_THREADS } from './wgsl-stats.ts'
import { chunkSumsKernel, scanKernel } from './wgsl-sums.ts'

/** Counts and sizes that all kernels of one pass share. */
function planOf(sizes: AttentionSizes, block: number) {
  const levels = levelsOf(sizes, block)
  const heads = sizes.batch * sizes.heads
  const chunks = heads * levels.slots
  const quads = (levels.lanes * CHANNELS) / VECTOR
  return {
    ...levels,
    heads,
    kvHeads: sizes.batch * sizes.kvHeads,
    chunkThreads: chunks * levels.lanes,
    marks: chunks * 2 * VECTOR,
    states: statesLength(sizes, block, false),
    statesWithMoments: statesLength(sizes, block, true),
    scanGroups: [Math.ceil((levels.pairs * 2 * quads) / SCAN_THREADS), levels.levels, heads] as const,
    numbers: [...sizeArgs(sizes), block, levels.levels, levels.slots, levels.lanes],
    wide: sizes.valueDim % VECTOR === 0,
  }
}
type Plan = ReturnType<typeof planOf>

/** Puts λ [heads, keys − first], which belongs to the times from `first` on, into order in every block of
 *  every level. */
function orderWgsl(engine: GpuEngine) {
  const orderBlocks = engine.wgsl(ORDER_BLOCKS)
  const joinOrders = engine.wgsl(JOIN_ORDERS)
  return (
    lambda: Handle,
    sorted: Handle,
    { levels, block }: Plan,
    of: { heads: number; keys: number; first: number; capacity: number },
  ) => {
    const { heads, keys, first, capacity } = of
    const groups = (threads: number) => [Math.ceil(keys / threads), heads, 1] as const
    orderBlocks([lambda, sorted], [keys, levels, block, first, capacity], groups(ORDER_THREADS))
    for (let level = ORDER_LEVELS - 1; level + 1 < levels; level += JOIN_LEVELS)
      joinOrders(
        [sorted],
        [keys, levels, block, level, Math.min(JOIN_LEVELS, levels - 1 - level)],
        groups(JOIN_THREADS),
      )
  }
}

/** Computes what queries read: the keys of each query head, their order, and the states over them. */
function keyStatesWgsl(engine: GpuEngine) {
  const packKeys = packKeysWgsl(engine)
  const order = orderWgsl(engine)
  const chunkSums = wgslForms(engine, chunkSumsKernel)
  const scan = wgslForms(engine, scanKernel)
  return (
    inputs: LambdaHandles,
    { packed, sorted, states }: { packed: Handle; sorted: Handle; states: Handle },
    sizes: AttentionSizes,
    plan: Plan,
    hasMoments: boolean,
  ) => {
    const { lambdaK, temperature, v } = inputs
    const { keys, capacity } = sizes
    using marks = engine.scratch(plan.marks)
    packKeys(inputs, packed, sizes)
    order(lambdaK, sorted, plan, { heads: plan.kvHeads, keys, first: 0, capacity })
    chunkSums(plan.wide, hasMoments)(
      [v, temperature, packed, sorted, states, marks.handle],
      [...plan.numbers, plan.chunkThreads],
      linearGroups(plan.chunkThreads, CHUNK_THREADS),
    )
    scan(plan.wide, hasMoments)([v, temperature, packed, marks.handle, states], plan.numbers, plan.scanGroups)
  }
}

/** `block` is a parameter because tests use small blocks for short inputs. */
export function lambdaMergeWgsl(engine: GpuEngine, block = BLOCK): LambdaMergeKernel {
  const keyStates = keyStatesWgsl(engine)
  const statsOf = engine.wgsl(MERGED_STATS)
  const outOf = wgslForms(engine, mergedOutKernel)
  return (inputs, { out, rest, stats }, sizes) => {
    const { queries, keys } = sizes
    const { lambdaQ, temperature, v } = inputs
    const plan = planOf(sizes, block)
    const { heads, kvHeads, levels, lanes, numbers, wide } = plan
    using packed = engine.scratch(heads * keys * VECTOR)
    using rows = engine.scratch(heads * queries * ROW_LENGTH)
    using sorted = engine.scratch(kvHeads * levels * keys * ORDER_LENGTH)
    using states = engine.scratch(plan.states)
    using places = engine.scratch(heads * queries * levels)
    const shared = { packed: packed.handle, sorted: sorted.handle, states: states.handle }
    keyStates(inputs, shared, sizes, plan, false)
    statsOf(
      [lambdaQ, temperature, packed.handle, sorted.handle, states.handle, stats, rows.handle, places.handle],
      numbers,
      [Math.ceil(queries / STATS_THREADS), heads, 1],
    )
    outOf(wide, rest !== undefined)(
      [
        ...[v, packed.handle, rows.handle, sorted.handle, places.handle, states.handle],
        ...[out, ...(rest === undefined ? [] : [rest])],
      ],
      [...numbers, heads * queries * lanes],
      linearGroups(heads * queries * lanes, OUT_THREADS),
    )
  }
}

export function lambdaMergeGradWgsl(engine: GpuEngine, block = BLOCK): LambdaMergeGradKernel {
  const keyStates = keyStatesWgsl(engine)
  const order = orderWgsl(engine)
  const rowsOf = engine.wgsl(BACKWARD_ROWS)
  const queryGrad = wgslForms(engine, queryGradKernel)
  const queryChunks = wgslForms(engine, queryChunksKernel)
  const queryScan = engine.wgsl(QUERY_SCAN)
  const keyGrad = wgslForms(engine, keyGradKernel)
  const finishQueries = engine.wgsl(FINISH_QUERIES)
  const finishKeys = wgslForms(engine, finishKeysKernel)
  const sumMoments = foldGpu(engine, SUM_MOMENTS)
  return (inputs, { stats, rest, dOut }, grads, sizes) => {
    const { queries, keys } = sizes
    const { lambdaQ, temperature, v } = inputs
    const { dLogDecay } = grads
    const plan = planOf(sizes, block)
    const { heads, kvHeads, levels, lanes, numbers, wide } = plan
    using packed = engine.scratch(heads * keys * VECTOR)
    using rows = engine.scratch(heads * queries * ROW_LENGTH)
    const finishSizes = [sizes.heads, queries, keys, lanes]
    const finishGroups = (rows: number) => [Math.ceil(rows / FINISH_THREADS), heads, 1] as const
    const threads = (rows: number) => heads * rows * lanes
    rowsOf([lambdaQ, temperature, v, stats, rest, dOut, rows.handle], sizeArgs(sizes), [
      Math.ceil(queries / ROW_THREADS),
      heads,
      1,
    ])
    {
      using sorted = engine.scratch(kvHeads * levels * keys * ORDER_LENGTH)
      using states = engine.scratch(plan.statesWithMoments)
      using parts = engine.scratch(heads * queries * lanes * 2)
      using moments = engine.scratch(heads * queries)
      const shared = { packed: packed.handle, sorted: sorted.handle, states: states.handle }
      keyStates(inputs, shared, sizes, plan, true)
      queryGrad(wide)(
        [v, dOut, packed.handle, rows.handle, sorted.handle, states.handle, parts.handle],
        [...numbers, threads(queries)],
        linearGroups(threads(queries), GRAD_THREADS),
      )
      finishQueries(
        [temperature, parts.handle, grads.dLambdaQ, moments.handle],
        finishSizes,
        finishGroups(queries),
      )
      sumMoments([moments.handle], grads.dTemperature, heads, queries, 1)
    }
    using sorted = engine.scratch(heads * levels * keys * ORDER_LENGTH)
    using states = engine.scratch(plan.states)
    using marks = engine.scratch(plan.marks)
    using parts = engine.scratch(heads * keys * lanes * 2)
    order(lambdaQ, sorted.handle, plan, { heads, keys, first: keys - queries, capacity: queries })
    queryChunks(wide)(
      [dOut, rows.handle, sorted.handle, states.handle, marks.handle],
      [...numbers, plan.chunkThreads],
      linearGroups(plan.chunkThreads, CHUNK_THREADS),
    )
    queryScan([rows.handle, marks.handle, states.handle], numbers, plan.scanGroups)
    keyGrad(wide)(
      [v, dOut, packed.handle, rows.handle, sorted.handle, states.handle, grads.dV, parts.handle],
      [...numbers, threads(keys)],
      linearGroups(threads(keys), GRAD_THREADS),
    )
    finishKeys(dLogDecay !== undefined)(
      [temperature, parts.handle, grads.dLambdaK, ...(dLogDecay === undefined ? [] : [dLogDecay])],
      finishSizes,
      finishGroups(keys),
    )
  }
}
