import { foldGpu, type GpuArgument, type GpuEngine, type GpuKernel } from '@tau/tensor'
import type { LambdaAttentionGradKernel, LambdaAttentionKernel } from './lambda-attention.ts'

// Every element of a result walks all its pairs (query, key) and makes their weights again: portable and exact, without a
// T × T matrix. `head` counts b·H + h, `kvHead` b·Hkv + hk.
type Clock = 'clock' | 'none'

const SIZES = {
  heads: 'int',
  group: 'int',
  queries: 'int',
  keys: 'int',
  dim: 'int',
  capacity: 'int',
  clockBatch: 'int',
} as const satisfies Record<string, GpuArgument>

interface Pair {
  readonly head: string
  readonly kvHead: string
  readonly query: string
  readonly key: string
}

const args = (names: readonly string[], clock: Clock, ints: readonly string[] = []): GpuKernel['args'] => ({
  ...Object.fromEntries([...names, ...(clock === 'clock' ? ['clock'] : [])].map((name) => [name, 'buffer'])),
  ...SIZES,
  ...Object.fromEntries(ints.map((name) => [name, 'int'])),
})

/** Divisions of whole numbers, exact for those that count heads. */
const KV_HEAD = 'const kvHead = Math.floor((head + 0.5) / group)'
const BATCH = `const batch = Math.floor((head + 0.5) / heads)
    const h = head - batch * heads`

const queryRow = ({ head, query }: Pair) => `((${head} | 0) * queries + ${query})`
const keyRow = ({ kvHead, key }: Pair) => `((${kvHead} | 0) * capacity + ${key})`

/** const gap, const score of a pair; needs `batch` and `h`. */
const scoreOf = (pair: Pair, clock: Clock) => {
  const reading = (time: string) => `clock[(batch | 0) * clockBatch + (h | 0) * capacity + ${time}]`
  const elapsed = `${reading(pair.key)} - ${reading(`(${pair.query} + keys - queries)`)}`
  return `
          const gap = lambdaQ[${queryRow(pair)}] - lambdaK[${keyRow(pair)}]
          const score = ${clock === 'clock' ? elapsed : '0.0'} - Math.abs(gap) / temperature[h | 0]`
}

/** const weight of a pair, after its score; `fields` numbers per row of stats. */
const weightOf = (pair: Pair, fields: number) => `
          const weight = Math.exp(score - stats[${queryRow(pair)} * ${fields}]) * stats[${queryRow(pair)} * ${fields} + 1]`

/** const dScore of a pair, after its weight. */
const dScoreOf = (pair: Pair) => `
          let product = 0.0
          for (let d = 0; d < dim; d++) {
            product += dOut[${queryRow(pair)} * dim + (d | 0)] * v[${keyRow(pair)} * dim + (d | 0)]
          }
          const dScore = weight * (product - stats[${queryRow(pair)} * 4 + 3])`

const FORWARD: Pair = { head: 'head', kvHead: 'kvHead', query: 'this.thread.y', key: '(j | 0)' }

const peakKernel = (clock: Clock): GpuKernel => ({
  name: `lambdaPeak_${clock}`,
  args: args(['lambdaQ', 'lambdaK', 'temperature'], clock),
  body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    let peak = -3e38
    let nearest = 3e38
    for (let j = 0; j < keys; j++) {
      if (j <= this.thread.y + keys - queries) {${scoreOf(FORWARD, clock)}
          if (score > peak) { peak = score }
          if (Math.abs(gap) < nearest) { nearest = Math.abs(gap) }
      }
    }
    if (this.thread.x === 0) { return peak }
    if (this.thread.x === 2) { return nearest }
    return 0`,
})

/** Puts 1 / mass into stats. The peak is read back as the f32 that later kernels see: weights sum to 1 whatever its rounding. */
const massKernel = (clock: Clock): GpuKernel => ({
  name: `lambdaMass_${clock}`,
  args: args(['lambdaQ', 'lambdaK', 'temperature', 'stats'], clock),
  body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    if (this.thread.x !== 1) { return stats[${queryRow(FORWARD)} * 3 + this.thread.x] }
    let mass = 0.0
    for (let j = 0; j < keys; j++) {
      if (j <= this.thread.y + keys - queries) {${scoreOf(FORWARD, clock)}
          mass += Math.exp(score - stats[${queryRow(FORWARD)} * 3])
      }
    }
    return 1.0 / mass`,
})

const forward = (clock: Clock): GpuKernel => ({
  name: `lambdaAttention_${clock}`,
  args: args(['lambdaQ', 'lambdaK', 'v', 'temperature', 'stats'], clock),
  body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let j = 0; j < keys; j++) {
      if (j <= this.thread.y + keys - queries) {${scoreOf(FORWARD, clock)}${weightOf(FORWARD, 3)}
          total += weight * v[${keyRow(FORWARD)} * dim + this.thread.x]
      }
    }
    return total`,
})

/** stats [rows, 3] and delta [rows] → [rows, 4]: a kernel takes at most seven buffers. */
const JOIN: GpuKernel = {
  name: 'joinStats',
  args: { stats: 'buffer', delta: 'buffer' },
  body: `
    if (this.thread.x === 3) { return delta[this.thread.y] }
    return stats[this.thread.y * 3 + this.thread.x]`,
}

const BACKWARD = ['lambdaQ', 'lambdaK', 'v', 'temperature', 'stats', 'dOut'] as const
const D_SCORE = (pair: Pair, clock: Clock) => `${scoreOf(pair, clock)}${weightOf(pair, 4)}${dScoreOf(pair)}`

/** A sum over the keys of one span, per query: thread (query, span, head). */
const overKeys = (name: string, clock: Clock, term: string): GpuKernel => {
  const pair: Pair = {
    head: 'head',
    kvHead: 'kvHead',
    query: 'this.thread.x',
    key: '(this.thread.y * each + (k | 0))',
  }
  return {
    name: `${name}_${clock}`,
    args: args(BACKWARD, clock, ['each']),
    body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let k = 0; k < each; k++) {
      if (${pair.key} < keys && ${pair.key} <= this.thread.x + keys - queries) {${D_SCORE(pair, clock)}
          ${term}
      }
    }
    return total`,
  }
}

const dQuery = (clock: Clock) =>
  overKeys(
    'lambdaGradQ',
    clock,
    `if (gap > 0) { total -= dScore / temperature[h | 0] }
          if (gap < 0) { total += dScore / temperature[h | 0] }`,
  )
const moment = (clock: Clock) =>
  overKeys(
    'lambdaMoment',
    clock,
    `total += dScore * (Math.abs(gap) - stats[((head | 0) * queries + this.thread.x) * 4 + 2]) / temperature[h | 0] / temperature[h | 0]`,
  )

/** A sum over the queries of one head, per key: thread (key, head). */
const dClockKernel = (clock: Clock): GpuKernel => {
  const pair: Pair = { head: 'head', kvHead: 'kvHead', query: '(i | 0)', key: 'this.thread.x' }
  return {
    name: `lambdaGradClock_${clock}`,
    args: args(BACKWARD, clock),
    body: `
    const head = this.thread.y
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let i = 0; i < queries; i++) {
      if (this.thread.x <= i + keys - queries) {${D_SCORE(pair, clock)}
          total += dScore
      }
    }
    return total`,
  }
}

/** A sum over the queries of all heads of a group, per key. */
const overQueries = (
  name: string,
  clock: Clock,
  names: readonly string[],
  kvHead: string,
  key: string,
  pairText: (pair: Pair) => string,
): GpuKernel => {
  const pair: Pair = { head: 'head', kvHead, query: '(i | 0)', key }
  return {
    name: `${name}_${clock}`,
    args: args(names, clock),
    body: `
    let total = 0.0
    for (let g = 0; g < group; g++) {
      const head = ${kvHead} * group + g
      ${BATCH}
      for (let i = 0; i < queries; i++) {
        if (${key} <= i + keys - queries) {${pairText(pair)}
        }
      }
    }
    return total`,
  }
}

const dKey = (clock: Clock) =>
  overQueries(
    'lambdaGradK',
    clock,
    BACKWARD,
    'this.thread.y',
    'this.thread.x',
    (pair) => `${D_SCORE(pair, clock)}
          if (gap > 0) { total += dScore / temperature[h | 0] }
          if (gap < 0) { total -= dScore / temperature[h | 0] }`,
  )

const dValue = (clock: Clock) =>
  overQueries(
    'lambdaGradV',
    clock,
    ['lambdaQ', 'lambdaK', 'temperature', 'stats', 'dOut'],
    'this.thread.z',
    'this.thread.y',
    (pair) => `${scoreOf(pair, clock)}${weightOf(pair, 4)}
          total += weight * dOut[${queryRow(pair)} * dim + this.thread.x]`,
  )

const both = (engine: GpuEngine, define: (clock: Clock) => GpuKernel) => {
  const launches = { clock: engine.kernel(define('clock')), none: engine.kernel(define('none')) }
  return (clock: number | undefined) => launches[clock === undefined ? 'none' : 'clock']
}

export function lambdaAttentionGpu(engine: GpuEngine): LambdaAttentionKernel {
  const peakOf = both(engine, peakKernel)
  const massOf = both(engine, massKernel)
  const outOf = both(engine, forward)
  return ({ lambdaQ, lambdaK, v, temperature, clock }, out, rowStats, sizes) => {
    const { batch, heads, kvHeads, queries, keys, valueDim, capacity, clockBatch } = sizes
    const last = [
      ...(clock === undefined ? [] : [clock]),
      ...[heads, heads / kvHeads, queries, keys, valueDim, capacity, clockBatch],
    ]
    const rows = [3, queries, batch * heads] as const
    peakOf(clock)([lambdaQ, lambdaK, temperature, ...last], rows, rowStats)
    massOf(clock)([lambdaQ, lambdaK, temperature, rowStats, ...last], rows, rowStats)
    outOf(clock)(
      [lambdaQ, lambdaK, v, temperature, rowStats, ...last],
      [valueDim, queries, batch * heads],
      out,
    )
  }
}

export function lambdaAttentionGradGpu(engine: GpuEngine): LambdaAttentionGradKernel {
  const join = engine.kernel(JOIN)
  const queryGrad = both(engine, dQuery)
  const momentOf = both(engine, moment)
  const keyGrad = both(engine, dKey)
  const valueGrad = both(engine, dValue)
  const clockGrad = both(engine, dClockKernel)
  const sumRows = foldGpu(engine, {
    name: 'sumMoments',
    op: 'sum',
    args: { x: 'buffer' },
    term: (at) => `x[${at}]`,
  })
  return ({ lambdaQ, lambdaK, v, temperature, clock }, saved, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, valueDim, capacity, clockBatch } = sizes
    const allHeads = batch * heads
    const last = [
      ...(clock === undefined ? [] : [clock]),
      ...[heads, heads / kvHeads, queries, keys, valueDim, capacity, clockBatch],
    ]
    using joined = engine.scratch(allHeads * queries * 4)
    using moments = engine.scratch(allHeads * spans * queries)
    join([saved.stats, saved.delta], [4, allHeads * queries], joined.handle)
    const all = [lambdaQ, lambdaK, v, temperature, joined.handle, saved.dOut, ...last]
    const each = Math.ceil(keys / spans)
    queryGrad(clock)([...all, each], [queries, spans, allHeads], grads.dLambdaQ)
    momentOf(clock)([...all, each], [queries, spans, allHeads], moments.handle)
    sumRows([moments.handle], grads.dTemperature, allHeads * spans, queries, 1)
    keyGrad(clock)(all, [keys, batch * kvHeads], grads.dLambdaK)
    const weights = [lambdaQ, lambdaK, temperature, joined.handle, saved.dOut, ...last]
    valueGrad(clock)(weights, [valueDim, keys, batch * kvHeads], grads.dV)
    if (grads.dClock !== undefined) clockGrad(clock)(all, [keys, allHeads], grads.dClock)
  }
}
