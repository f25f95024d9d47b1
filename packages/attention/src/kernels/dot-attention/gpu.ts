import type { GpuEngine, GpuKernel } from '@tau/tensor'
import {
  addToTotal,
  attentionArgs,
  BATCH,
  byClock,
  type ClockForm,
  elapsed,
  FORWARD,
  KV_HEAD,
  keyRow,
  overQueriesOfGroup,
  overQueriesOfHead,
  overVisibleKeys,
  type Pair,
  queryRow,
  reading,
  sizeArgs,
  TOTAL,
} from '../attention-gpu.ts'
import type { DotAttentionGradKernel, DotAttentionKernel } from './dot-attention.ts'

/** Fields of a row's stats (largest score, 1 / mass), and with delta behind them. */
const STATS = 2
const JOINED = 3

const args = (buffers: readonly string[], clock: ClockForm, ...ints: readonly string[]): GpuKernel['args'] =>
  attentionArgs(buffers, clock, {
    dim: 'int',
    scale: 'float',
    ...Object.fromEntries(ints.map((name) => [name, 'int'])),
  })

/** const score of a pair. */
const scoreOf = (pair: Pair, clock: ClockForm) => {
  const now = reading(clock, `(${pair.query} + keys - queries)`)
  return `
          let dot = 0.0
          for (let c = 0; c < dim; c++) {
            dot += q[${queryRow(pair)} * dim + (c | 0)] * k[${keyRow(pair)} * dim + (c | 0)]
          }
          const score = scale * dot + ${elapsed(clock, pair.key, now)}`
}

/** const score and weight of a pair, from stats of `fields` numbers per row. */
const weightOf = (pair: Pair, clock: ClockForm, fields: number) => {
  const stat = (field: number) => `stats[${queryRow(pair)} * ${fields} + ${field}]`
  return `${scoreOf(pair, clock)}
          const weight = Math.exp(score - ${stat(0)}) * ${stat(1)}`
}

/** const score, weight and dScore of a pair. */
const dScoreOf = (pair: Pair, clock: ClockForm) => `${weightOf(pair, clock, JOINED)}
          let product = 0.0
          for (let d = 0; d < valueDim; d++) {
            product += dOut[${queryRow(pair)} * valueDim + (d | 0)] * v[${keyRow(pair)} * valueDim + (d | 0)]
          }
          const dScore = weight * (product - stats[${queryRow(pair)} * ${JOINED} + 2])`

/** Largest score and 1 (the mass so far). */
const peakKernel = (clock: ClockForm): GpuKernel => ({
  name: `dotPeak_${clock}`,
  args: args(['q', 'k'], clock),
  body: overVisibleKeys(
    `if (this.thread.x === 1) { return 1 }
    let peak = -3e38`,
    `${scoreOf(FORWARD, clock)}
          if (score > peak) { peak = score }`,
    'return peak',
  ),
})

/** Puts 1 / mass into stats. The peak is read back as the f32 that later kernels see: weights sum to 1 whatever its rounding. */
const massKernel = (clock: ClockForm): GpuKernel => ({
  name: `dotMass_${clock}`,
  args: args(['q', 'k', 'stats'], clock),
  body: overVisibleKeys(
    `if (this.thread.x !== 1) { return stats[${queryRow(FORWARD)} * ${STATS}] }
    let mass = 0.0`,
    `${weightOf(FORWARD, clock, STATS)}
          mass += weight`,
    'return 1.0 / mass',
  ),
})

const outKernel = (clock: ClockForm): GpuKernel => ({
  name: `dotAttention_${clock}`,
  args: args(['q', 'k', 'v', 'stats'], clock),
  body: overVisibleKeys(
    TOTAL,
    `${weightOf(FORWARD, clock, STATS)}${addToTotal(`weight * v[${keyRow(FORWARD)} * valueDim + this.thread.x]`)}`,
    'return total',
  ),
})

/** stats [rows, 2] and delta [rows] → [rows, 3]: a kernel takes at most seven buffers. */
const JOIN: GpuKernel = {
  name: 'joinDotStats',
  args: { stats: 'buffer', delta: 'buffer' },
  body: `
    if (this.thread.x === 2) { return delta[this.thread.y] }
    return stats[this.thread.y * 2 + this.thread.x]`,
}

const BACKWARD = ['q', 'k', 'v', 'stats', 'dOut'] as const

/** Thread (channel, query, head · spans + span): the layout of dQ. */
const dQueryKernel = (clock: ClockForm): GpuKernel => {
  const key = '((span | 0) * each + (n | 0))'
  const pair: Pair = { kvHead: 'kvHead', query: 'this.thread.y', key }
  return {
    name: `dotGradQ_${clock}`,
    args: args(BACKWARD, clock, 'spans', 'each'),
    body: `
    const head = Math.floor((this.thread.z + 0.5) / spans)
    const span = this.thread.z - head * spans
    ${KV_HEAD}
    ${BATCH}
    ${TOTAL}
    for (let n = 0; n < each; n++) {
      if (${key} < keys && ${key} <= this.thread.y + keys - queries) {${dScoreOf(pair, clock)}${addToTotal(`scale * dScore * k[${keyRow(pair)} * dim + this.thread.x]`)}
      }
    }
    return total`,
  }
}

/** Thread (query, span, head): the layout of dNow. */
const dNowKernel = (clock: ClockForm): GpuKernel => {
  const key = '(this.thread.y * each + (n | 0))'
  const pair: Pair = { kvHead: 'kvHead', query: 'this.thread.x', key }
  return {
    name: `dotGradNow_${clock}`,
    args: args(BACKWARD, clock, 'each'),
    body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    ${TOTAL}
    for (let n = 0; n < each; n++) {
      if (${key} < keys && ${key} <= this.thread.x + keys - queries) {${dScoreOf(pair, clock)}${addToTotal('-dScore')}
      }
    }
    return total`,
  }
}

const dKeyKernel = (clock: ClockForm): GpuKernel => ({
  name: `dotGradK_${clock}`,
  args: args(BACKWARD, clock),
  body: overQueriesOfGroup(
    'this.thread.z',
    'this.thread.y',
    (pair) =>
      `${dScoreOf(pair, clock)}${addToTotal(`scale * dScore * q[${queryRow(pair)} * dim + this.thread.x]`)}`,
  ),
})

const dValueKernel = (clock: ClockForm): GpuKernel => ({
  name: `dotGradV_${clock}`,
  args: args(['q', 'k', 'stats', 'dOut'], clock),
  body: overQueriesOfGroup(
    'this.thread.z',
    'this.thread.y',
    (pair) =>
      `${weightOf(pair, clock, JOINED)}${addToTotal(`weight * dOut[${queryRow(pair)} * valueDim + this.thread.x]`)}`,
  ),
})

const dClockKernel = (clock: ClockForm): GpuKernel => ({
  name: `dotGradClock_${clock}`,
  args: args(BACKWARD, clock),
  body: overQueriesOfHead((pair) => `${dScoreOf(pair, clock)}${addToTotal('dScore')}`),
})

export function dotAttentionGpu(engine: GpuEngine): DotAttentionKernel {
  const peakOf = byClock(engine, peakKernel)
  const massOf = byClock(engine, massKernel)
  const outOf = byClock(engine, outKernel)
  return ({ q, k, v, clock }, out, stats, sizes) => {
    const { batch, heads, queries, dim, valueDim, scale } = sizes
    const last = [...sizeArgs(clock, sizes), dim, scale]
    const rows = [STATS, queries, batch * heads] as const
    peakOf(clock)([q, k, ...last], rows, stats)
    massOf(clock)([q, k, stats, ...last], rows, stats)
    outOf(clock)([q, k, v, stats, ...last], [valueDim, queries, batch * heads], out)
  }
}

export function dotAttentionGradGpu(engine: GpuEngine): DotAttentionGradKernel {
  const join = engine.kernel(JOIN)
  const queryGrad = byClock(engine, dQueryKernel)
  const keyGrad = byClock(engine, dKeyKernel)
  const valueGrad = byClock(engine, dValueKernel)
  const clockGrad = byClock(engine, dClockKernel)
  const nowGrad = byClock(engine, dNowKernel)
  return ({ q, k, v, clock }, { stats, dOut, delta }, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, dim, valueDim, scale } = sizes
    const allHeads = batch * heads
    const last = [...sizeArgs(clock, sizes), dim, scale]
    using joined = engine.scratch(allHeads * queries * JOINED)
    join([stats, delta], [JOINED, allHeads * queries], joined.handle)
    const all = [q, k, v, joined.handle, dOut, ...last]
    const each = Math.ceil(keys / spans)
    queryGrad(clock)([...all, spans, each], [dim, queries, allHeads * spans], grads.dQ)
    keyGrad(clock)(all, [dim, keys, batch * kvHeads], grads.dK)
    valueGrad(clock)([q, k, joined.handle, dOut, ...last], [valueDim, keys, batch * kvHeads], grads.dV)
    if (!grads.clock) return
    clockGrad(clock)(all, [keys, allHeads], grads.clock.dClock)
    nowGrad(clock)([...all, each], [queries, spans, allHeads], grads.clock.dNow)
  }
}
