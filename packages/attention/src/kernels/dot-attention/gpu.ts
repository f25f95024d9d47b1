import type { GpuEngine, GpuKernel } from '@tau/tensor/kernel'
import {
  addToTotal,
  attentionArgs,
  BATCH,
  byDecay,
  CAUSAL,
  type DecayForm,
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
  type Sees,
  sizeArgs,
  TOTAL,
} from '../attention-gpu.ts'
import { type DotAttentionGradKernel, type DotAttentionKernel, windowKeys } from './dot-attention.ts'

/** Numbers of a row's stats (largest score, 1 / mass), and the same with delta behind them. */
const STATS = 2
const JOINED = 3

const args = (
  buffers: readonly string[],
  logDecay: DecayForm,
  ...ints: readonly string[]
): GpuKernel['args'] =>
  attentionArgs(buffers, logDecay, {
    dim: 'int',
    scale: 'float',
    window: 'int',
    ...Object.fromEntries(ints.map((name) => [name, 'int'])),
  })

/** The condition that a key is among the newest `window`. */
const SEES: Sees = (query, key) => `${CAUSAL(query, key)} && ${key} > ${query} + keys - queries - window`

/** Declares `score` of a pair. */
const scoreOf = (pair: Pair, logDecay: DecayForm) => {
  const now = reading(logDecay, `(${pair.query} + keys - queries)`)
  return `
          let dot = 0.0
          for (let c = 0; c < dim; c++) {
            dot += q[${queryRow(pair)} * dim + (c | 0)] * k[${keyRow(pair)} * dim + (c | 0)]
          }
          const score = scale * dot + ${elapsed(logDecay, pair.key, now)}`
}

/** Declares `score` and `weight` of a pair. stats has `fields` numbers per row. */
const weightOf = (pair: Pair, logDecay: DecayForm, fields: number) => {
  const stat = (field: number) => `stats[${queryRow(pair)} * ${fields} + ${field}]`
  return `${scoreOf(pair, logDecay)}
          const weight = Math.exp(score - ${stat(0)}) * ${stat(1)}`
}

/** Declares `score`, `weight` and `dScore` of a pair. */
const dScoreOf = (pair: Pair, logDecay: DecayForm) => `${weightOf(pair, logDecay, JOINED)}
          let product = 0.0
          for (let d = 0; d < valueDim; d++) {
            product += dOut[${queryRow(pair)} * valueDim + (d | 0)] * v[${keyRow(pair)} * valueDim + (d | 0)]
          }
          const dScore = weight * (product - stats[${queryRow(pair)} * ${JOINED} + 2])`

/** Writes the largest score, and 1 as a placeholder for 1 / mass. */
const peakKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `dotPeak_${logDecay}`,
  args: args(['q', 'k'], logDecay),
  body: overVisibleKeys(
    `if (this.thread.x === 1) { return 1 }
    let peak = -3e38`,
    `${scoreOf(FORWARD, logDecay)}
          if (score > peak) { peak = score }`,
    'return peak',
    undefined,
    SEES,
  ),
})

/** Writes 1 / mass into stats. It reads the peak back as the f32 that later kernels see. So weights sum to 1,
 *  however the peak is rounded. */
const massKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `dotMass_${logDecay}`,
  args: args(['q', 'k', 'stats'], logDecay),
  body: overVisibleKeys(
    `if (this.thread.x !== 1) { return stats[${queryRow(FORWARD)} * ${STATS}] }
    let mass = 0.0`,
    `${weightOf(FORWARD, logDecay, STATS)}
          mass += weight`,
    'return 1.0 / mass',
    undefined,
    SEES,
  ),
})

const outKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `dotAttention_${logDecay}`,
  args: args(['q', 'k', 'v', 'stats'], logDecay),
  body: overVisibleKeys(
    TOTAL,
    `${weightOf(FORWARD, logDecay, STATS)}${addToTotal(`weight * v[${keyRow(FORWARD)} * valueDim + this.thread.x]`)}`,
    'return total',
    undefined,
    SEES,
  ),
})

/** stats [rows, 2] and delta [rows] → [rows, 3]. They are joined because a kernel takes at most seven
 *  buffers. */
const JOIN: GpuKernel = {
  name: 'joinDotStats',
  args: { stats: 'buffer', delta: 'buffer' },
  body: `
    if (this.thread.x === 2) { return delta[this.thread.y] }
    return stats[this.thread.y * 2 + this.thread.x]`,
}

const BACKWARD = ['q', 'k', 'v', 'stats', 'dOut'] as const

/** Each thread handles one (channel, query, head · spans + span), which is the layout of dQ. */
const dQueryKernel = (logDecay: DecayForm): GpuKernel => {
  const key = '((span | 0) * each + (n | 0))'
  const pair: Pair = { kvHead: 'kvHead', query: 'this.thread.y', key }
  return {
    name: `dotGradQ_${logDecay}`,
    args: args(BACKWARD, logDecay, 'spans', 'each'),
    body: `
    const head = Math.floor((this.thread.z + 0.5) / spans)
    const span = this.thread.z - head * spans
    ${KV_HEAD}
    ${BATCH}
    ${TOTAL}
    for (let n = 0; n < each; n++) {
      if (${key} < keys && ${SEES('this.thread.y', key)}) {${dScoreOf(pair, logDecay)}${addToTotal(`scale * dScore * k[${keyRow(pair)} * dim + this.thread.x]`)}
      }
    }
    return total`,
  }
}

/** Each thread handles one (query, span, head), which is the layout of dNow. */
const dNowKernel = (logDecay: DecayForm): GpuKernel => {
  const key = '(this.thread.y * each + (n | 0))'
  const pair: Pair = { kvHead: 'kvHead', query: 'this.thread.x', key }
  return {
    name: `dotGradNow_${logDecay}`,
    args: args(BACKWARD, logDecay, 'each'),
    body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    ${TOTAL}
    for (let n = 0; n < each; n++) {
      if (${key} < keys && ${SEES('this.thread.x', key)}) {${dScoreOf(pair, logDecay)}${addToTotal('-dScore')}
      }
    }
    return total`,
  }
}

const dKeyKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `dotGradK_${logDecay}`,
  args: args(BACKWARD, logDecay),
  body: overQueriesOfGroup(
    'this.thread.z',
    'this.thread.y',
    (pair) =>
      `${dScoreOf(pair, logDecay)}${addToTotal(`scale * dScore * q[${queryRow(pair)} * dim + this.thread.x]`)}`,
    SEES,
  ),
})

const dValueKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `dotGradV_${logDecay}`,
  args: args(['q', 'k', 'stats', 'dOut'], logDecay),
  body: overQueriesOfGroup(
    'this.thread.z',
    'this.thread.y',
    (pair) =>
      `${weightOf(pair, logDecay, JOINED)}${addToTotal(`weight * dOut[${queryRow(pair)} * valueDim + this.thread.x]`)}`,
    SEES,
  ),
})

const dDecayKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `dotGradDecay_${logDecay}`,
  args: args(BACKWARD, logDecay),
  body: overQueriesOfHead((pair) => `${dScoreOf(pair, logDecay)}${addToTotal('dScore')}`, SEES),
})

export function dotAttentionGpu(engine: GpuEngine): DotAttentionKernel {
  const peakOf = byDecay(engine, peakKernel)
  const massOf = byDecay(engine, massKernel)
  const outOf = byDecay(engine, outKernel)
  return ({ q, k, v, logDecay }, out, stats, sizes) => {
    const { batch, heads, queries, dim, valueDim, scale } = sizes
    const last = [...sizeArgs(logDecay, sizes), dim, scale, windowKeys(sizes)]
    const rows = [STATS, queries, batch * heads] as const
    peakOf(logDecay)([q, k, ...last], rows, stats)
    massOf(logDecay)([q, k, stats, ...last], rows, stats)
    outOf(logDecay)([q, k, v, stats, ...last], [valueDim, queries, batch * heads], out)
  }
}

export function dotAttentionGradGpu(engine: GpuEngine): DotAttentionGradKernel {
  const join = engine.kernel(JOIN)
  const queryGrad = byDecay(engine, dQueryKernel)
  const keyGrad = byDecay(engine, dKeyKernel)
  const valueGrad = byDecay(engine, dValueKernel)
  const decayGrad = byDecay(engine, dDecayKernel)
  const nowGrad = byDecay(engine, dNowKernel)
  return ({ q, k, v, logDecay }, { stats, dOut, delta }, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, dim, valueDim, scale } = sizes
    const allHeads = batch * heads
    const last = [...sizeArgs(logDecay, sizes), dim, scale, windowKeys(sizes)]
    using joined = engine.scratch(allHeads * queries * JOINED)
    join([stats, delta], [JOINED, allHeads * queries], joined.handle)
    const all = [q, k, v, joined.handle, dOut, ...last]
    const each = Math.ceil(keys / spans)
    queryGrad(logDecay)([...all, spans, each], [dim, queries, allHeads * spans], grads.dQ)
    keyGrad(logDecay)(all, [dim, keys, batch * kvHeads], grads.dK)
    valueGrad(logDecay)([q, k, joined.handle, dOut, ...last], [valueDim, keys, batch * kvHeads], grads.dV)
    if (!grads.logDecay) return
    decayGrad(logDecay)(all, [keys, allHeads], grads.logDecay.dLogDecay)
    nowGrad(logDecay)([...all, each], [queries, spans, allHeads], grads.logDecay.dNow)
  }
}
