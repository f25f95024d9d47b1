import { foldGpu, type GpuEngine, type GpuKernel } from '@tau/tensor'
import {
  attentionArgs,
  BATCH,
  byClock,
  type Clock,
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
} from '../attention-gpu.ts'
import type { LambdaAttentionGradKernel, LambdaAttentionKernel } from './lambda-attention.ts'

/** Fields of a row's stats, as in assembly/lambda-attention.ts, and with delta behind them. */
const STATS = 4
const JOINED = 5

const gapOf = (pair: Pair) => `
          const gap = lambdaQ[${queryRow(pair)}] - lambdaK[${keyRow(pair)}]`

/** const gap and weight of a pair, from stats of `fields` numbers per row. */
const weightOf = (pair: Pair, clock: Clock, fields: number) => {
  const stat = (field: number) => `stats[${queryRow(pair)} * ${fields} + ${field}]`
  const elapsed = clock === 'clock' ? `(${reading(pair.key)} - ${stat(1)})` : '0.0'
  return `${gapOf(pair)}
          const exponent = ${elapsed} - (Math.abs(gap) - ${stat(0)}) / temperature[h | 0]
          const weight = Math.exp(exponent) * ${stat(2)}`
}

/** const gap, weight and dScore of a pair. */
const dScoreOf = (pair: Pair, clock: Clock) => `${weightOf(pair, clock, JOINED)}
          let product = 0.0
          for (let d = 0; d < valueDim; d++) {
            product += dOut[${queryRow(pair)} * valueDim + (d | 0)] * v[${keyRow(pair)} * valueDim + (d | 0)]
          }
          const dScore = weight * (product - stats[${queryRow(pair)} * ${JOINED} + 4])`

/** Gap and clock reading of the key with the largest score, 1 (the mass so far), 0. */
const peakKernel = (clock: Clock): GpuKernel => {
  const now = reading('(this.thread.y + keys - queries)')
  const [then, elapsed] =
    clock === 'clock' ? [reading(FORWARD.key), `${reading(FORWARD.key)} - ${now}`] : ['0.0', '0.0']
  return {
    name: `lambdaPeak_${clock}`,
    args: attentionArgs(['lambdaQ', 'lambdaK', 'temperature'], clock),
    body: overVisibleKeys(
      `let peak = -3e38
    let topGap = 0.0
    let topClock = 0.0`,
      `${gapOf(FORWARD)}
          const score = ${elapsed} - Math.abs(gap) / temperature[h | 0]
          if (score > peak) {
            peak = score
            topGap = Math.abs(gap)
            topClock = ${then}
          }`,
      `if (this.thread.x === 0) { return topGap }
    if (this.thread.x === 1) { return topClock }
    if (this.thread.x === 2) { return 1 }
    return 0`,
    ),
  }
}

const TOP_GAP = `stats[${queryRow(FORWARD)} * ${STATS}]`

/** Puts 1 / mass and the mean gap into stats. The gap and the reading are read back as the f32 that later kernels see: weights sum to 1
 *  whatever their rounding. */
const massKernel = (clock: Clock): GpuKernel => ({
  name: `lambdaMass_${clock}`,
  args: attentionArgs(['lambdaQ', 'lambdaK', 'temperature', 'stats'], clock),
  body: overVisibleKeys(
    `if (this.thread.x < 2) { return stats[${queryRow(FORWARD)} * ${STATS} + this.thread.x] }
    let mass = 0.0
    let moment = 0.0`,
    `${weightOf(FORWARD, clock, STATS)}
          mass += weight
          moment += weight * (Math.abs(gap) - ${TOP_GAP})`,
    `if (this.thread.x === 2) { return 1.0 / mass }
    return ${TOP_GAP} + moment / mass`,
  ),
})

const outKernel = (clock: Clock): GpuKernel => ({
  name: `lambdaAttention_${clock}`,
  args: attentionArgs(['lambdaQ', 'lambdaK', 'v', 'temperature', 'stats'], clock),
  body: overVisibleKeys(
    'let total = 0.0',
    `${weightOf(FORWARD, clock, STATS)}
          total += weight * v[${keyRow(FORWARD)} * valueDim + this.thread.x]`,
    'return total',
  ),
})

/** stats [rows, 4] and delta [rows] → [rows, 5]: a kernel takes at most seven buffers. */
const JOIN: GpuKernel = {
  name: 'joinStats',
  args: { stats: 'buffer', delta: 'buffer' },
  body: `
    if (this.thread.x === 4) { return delta[this.thread.y] }
    return stats[this.thread.y * 4 + this.thread.x]`,
}

const BACKWARD = ['lambdaQ', 'lambdaK', 'v', 'temperature', 'stats', 'dOut'] as const

/** A sum over the keys of one span, per query: thread (query, span, head). */
const overSpan = (name: string, clock: Clock, term: string): GpuKernel => {
  const key = '(this.thread.y * each + (k | 0))'
  const pair: Pair = { kvHead: 'kvHead', query: 'this.thread.x', key }
  return {
    name: `${name}_${clock}`,
    args: attentionArgs(BACKWARD, clock, { each: 'int' }),
    body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let k = 0; k < each; k++) {
      if (${key} < keys && ${key} <= this.thread.x + keys - queries) {${dScoreOf(pair, clock)}
          ${term}
      }
    }
    return total`,
  }
}

const signed = (plus: string, minus: string) => `
          if (gap > 0) { total ${plus} dScore / temperature[h | 0] }
          if (gap < 0) { total ${minus} dScore / temperature[h | 0] }`

const dQueryKernel = (clock: Clock) => overSpan('lambdaGradQ', clock, signed('-=', '+='))

const momentKernel = (clock: Clock) => {
  const meanGap = `stats[((head | 0) * queries + this.thread.x) * ${JOINED} + 3]`
  const slope = `(Math.abs(gap) - ${meanGap}) / temperature[h | 0] / temperature[h | 0]`
  return overSpan('lambdaMoment', clock, `total += dScore * ${slope}`)
}

const dNowKernel = (clock: Clock) => overSpan('lambdaGradNow', clock, 'total -= dScore')

const dClockKernel = (clock: Clock): GpuKernel => ({
  name: `lambdaGradClock_${clock}`,
  args: attentionArgs(BACKWARD, clock),
  body: overQueriesOfHead(
    (pair) => `${dScoreOf(pair, clock)}
          total += dScore`,
  ),
})

const dKeyKernel = (clock: Clock): GpuKernel => ({
  name: `lambdaGradK_${clock}`,
  args: attentionArgs(BACKWARD, clock),
  body: overQueriesOfGroup(
    'this.thread.y',
    'this.thread.x',
    (pair) => `${dScoreOf(pair, clock)}${signed('+=', '-=')}`,
  ),
})

const dValueKernel = (clock: Clock): GpuKernel => ({
  name: `lambdaGradV_${clock}`,
  args: attentionArgs(['lambdaQ', 'lambdaK', 'temperature', 'stats', 'dOut'], clock),
  body: overQueriesOfGroup(
    'this.thread.z',
    'this.thread.y',
    (pair) => `${weightOf(pair, clock, JOINED)}
          total += weight * dOut[${queryRow(pair)} * valueDim + this.thread.x]`,
  ),
})

export function lambdaAttentionGpu(engine: GpuEngine): LambdaAttentionKernel {
  const peakOf = byClock(engine, peakKernel)
  const massOf = byClock(engine, massKernel)
  const outOf = byClock(engine, outKernel)
  return ({ lambdaQ, lambdaK, v, temperature, clock }, out, stats, sizes) => {
    const { batch, heads, queries, valueDim } = sizes
    const last = sizeArgs(clock, sizes)
    const rows = [STATS, queries, batch * heads] as const
    peakOf(clock)([lambdaQ, lambdaK, temperature, ...last], rows, stats)
    massOf(clock)([lambdaQ, lambdaK, temperature, stats, ...last], rows, stats)
    outOf(clock)([lambdaQ, lambdaK, v, temperature, stats, ...last], [valueDim, queries, batch * heads], out)
  }
}

export function lambdaAttentionGradGpu(engine: GpuEngine): LambdaAttentionGradKernel {
  const join = engine.kernel(JOIN)
  const queryGrad = byClock(engine, dQueryKernel)
  const momentOf = byClock(engine, momentKernel)
  const keyGrad = byClock(engine, dKeyKernel)
  const valueGrad = byClock(engine, dValueKernel)
  const clockGrad = byClock(engine, dClockKernel)
  const nowGrad = byClock(engine, dNowKernel)
  const sumRows = foldGpu(engine, {
    name: 'sumMoments',
    op: 'sum',
    args: { x: 'buffer' },
    term: (at) => `x[${at}]`,
  })
  return ({ lambdaQ, lambdaK, v, temperature, clock }, { stats, dOut, delta }, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, valueDim } = sizes
    const allHeads = batch * heads
    const last = sizeArgs(clock, sizes)
    using joined = engine.scratch(allHeads * queries * JOINED)
    using moments = engine.scratch(allHeads * spans * queries)
    join([stats, delta], [JOINED, allHeads * queries], joined.handle)
    const all = [lambdaQ, lambdaK, v, temperature, joined.handle, dOut, ...last]
    const each = Math.ceil(keys / spans)
    queryGrad(clock)([...all, each], [queries, spans, allHeads], grads.dLambdaQ)
    momentOf(clock)([...all, each], [queries, spans, allHeads], moments.handle)
    sumRows([moments.handle], grads.dTemperature, allHeads * spans, queries, 1)
    keyGrad(clock)(all, [keys, batch * kvHeads], grads.dLambdaK)
    const weights = [lambdaQ, lambdaK, temperature, joined.handle, dOut, ...last]
    valueGrad(clock)(weights, [valueDim, keys, batch * kvHeads], grads.dV)
    if (!grads.clock) return
    clockGrad(clock)(all, [keys, allHeads], grads.clock.dClock)
    nowGrad(clock)([...all, each], [queries, spans, allHeads], grads.clock.dNow)
  }
}
