import type { GpuArgument, GpuEngine, GpuKernel } from '@tau/tensor'
import type { DotAttentionGradKernel, DotAttentionKernel } from './dot-attention.ts'

// Every element of a result walks all its pairs (query, key) and makes their weights again: portable and exact, without a
// T × T matrix. `head` counts b·H + h, `kvHead` b·Hkv + hk.
type Clock = 'clock' | 'none'

const SIZES = {
  heads: 'int',
  group: 'int',
  queries: 'int',
  keys: 'int',
  dim: 'int',
  valueDim: 'int',
  capacity: 'int',
  clockBatch: 'int',
  scale: 'float',
} as const satisfies Record<string, GpuArgument>

interface Pair {
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

const queryRow = ({ query }: Pair) => `((head | 0) * queries + ${query})`
const keyRow = ({ kvHead, key }: Pair) => `((${kvHead} | 0) * capacity + ${key})`

/** const score of a pair; needs `head`, `batch` and `h`. */
const scoreOf = (pair: Pair, clock: Clock) => {
  const reading = (time: string) => `clock[(batch | 0) * clockBatch + (h | 0) * capacity + ${time}]`
  const elapsed = `${reading(pair.key)} - ${reading(`(${pair.query} + keys - queries)`)}`
  return `
          let dot = 0.0
          for (let c = 0; c < dim; c++) {
            dot += q[${queryRow(pair)} * dim + (c | 0)] * k[${keyRow(pair)} * dim + (c | 0)]
          }
          const score = scale * dot${clock === 'clock' ? ` + (${elapsed})` : ''}`
}

/** const weight of a pair, after its score; `fields` numbers per row of stats. */
const weightOf = (pair: Pair, fields: number) => `
          const weight = Math.exp(score - stats[${queryRow(pair)} * ${fields}]) * stats[${queryRow(pair)} * ${fields} + 1]`

const dScoreOf = (pair: Pair, clock: Clock) => `${scoreOf(pair, clock)}${weightOf(pair, 3)}
          let product = 0.0
          for (let d = 0; d < valueDim; d++) {
            product += dOut[${queryRow(pair)} * valueDim + (d | 0)] * v[${keyRow(pair)} * valueDim + (d | 0)]
          }
          const dScore = weight * (product - stats[${queryRow(pair)} * 3 + 2])`

const FORWARD: Pair = { kvHead: 'kvHead', query: 'this.thread.y', key: '(j | 0)' }

const peakKernel = (clock: Clock): GpuKernel => ({
  name: `dotPeak_${clock}`,
  args: args(['q', 'k'], clock),
  body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    let peak = -3e38
    for (let j = 0; j < keys; j++) {
      if (j <= this.thread.y + keys - queries) {${scoreOf(FORWARD, clock)}
          if (score > peak) { peak = score }
      }
    }
    if (this.thread.x === 0) { return peak }
    return 0`,
})

/** Puts 1 / mass into stats. The peak is read back as the f32 that later kernels see: weights sum to 1 whatever its rounding. */
const massKernel = (clock: Clock): GpuKernel => ({
  name: `dotMass_${clock}`,
  args: args(['q', 'k', 'stats'], clock),
  body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    if (this.thread.x !== 1) { return stats[${queryRow(FORWARD)} * 2 + this.thread.x] }
    let mass = 0.0
    for (let j = 0; j < keys; j++) {
      if (j <= this.thread.y + keys - queries) {${scoreOf(FORWARD, clock)}
          mass += Math.exp(score - stats[${queryRow(FORWARD)} * 2])
      }
    }
    return 1.0 / mass`,
})

const forward = (clock: Clock): GpuKernel => ({
  name: `dotAttention_${clock}`,
  args: args(['q', 'k', 'v', 'stats'], clock),
  body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let j = 0; j < keys; j++) {
      if (j <= this.thread.y + keys - queries) {${scoreOf(FORWARD, clock)}${weightOf(FORWARD, 2)}
          total += weight * v[${keyRow(FORWARD)} * valueDim + this.thread.x]
      }
    }
    return total`,
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

/** Thread (channel, query, head · spans + span). */
const dQuery = (clock: Clock): GpuKernel => {
  const pair: Pair = { kvHead: 'kvHead', query: 'this.thread.y', key: '((span | 0) * each + (n | 0))' }
  return {
    name: `dotGradQ_${clock}`,
    args: args(BACKWARD, clock, ['spans', 'each']),
    body: `
    const head = Math.floor((this.thread.z + 0.5) / spans)
    const span = this.thread.z - head * spans
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let n = 0; n < each; n++) {
      if (${pair.key} < keys && ${pair.key} <= this.thread.y + keys - queries) {${dScoreOf(pair, clock)}
          total += scale * dScore * k[${keyRow(pair)} * dim + this.thread.x]
      }
    }
    return total`,
  }
}

/** A sum over the queries of all heads of a group, thread (channel, key, kv head). */
const overQueries = (
  name: string,
  clock: Clock,
  names: readonly string[],
  term: (pair: Pair) => string,
): GpuKernel => {
  const pair: Pair = { kvHead: 'this.thread.z', query: '(i | 0)', key: 'this.thread.y' }
  return {
    name: `${name}_${clock}`,
    args: args(names, clock),
    body: `
    let total = 0.0
    for (let g = 0; g < group; g++) {
      const head = this.thread.z * group + g
      ${BATCH}
      for (let i = 0; i < queries; i++) {
        if (this.thread.y <= i + keys - queries) {${term(pair)}
        }
      }
    }
    return total`,
  }
}

const dKey = (clock: Clock) =>
  overQueries(
    'dotGradK',
    clock,
    BACKWARD,
    (pair) => `${dScoreOf(pair, clock)}
          total += scale * dScore * q[${queryRow(pair)} * dim + this.thread.x]`,
  )

const dValue = (clock: Clock) =>
  overQueries(
    'dotGradV',
    clock,
    ['q', 'k', 'stats', 'dOut'],
    (pair) => `${scoreOf(pair, clock)}${weightOf(pair, 3)}
          total += weight * dOut[${queryRow(pair)} * valueDim + this.thread.x]`,
  )

/** Thread (key, head). */
const dClockKernel = (clock: Clock): GpuKernel => {
  const pair: Pair = { kvHead: 'kvHead', query: '(i | 0)', key: 'this.thread.x' }
  return {
    name: `dotGradClock_${clock}`,
    args: args(BACKWARD, clock),
    body: `
    const head = this.thread.y
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let i = 0; i < queries; i++) {
      if (this.thread.x <= i + keys - queries) {${dScoreOf(pair, clock)}
          total += dScore
      }
    }
    return total`,
  }
}

const both = (engine: GpuEngine, define: (clock: Clock) => GpuKernel) => {
  const launches = { clock: engine.kernel(define('clock')), none: engine.kernel(define('none')) }
  return (clock: number | undefined) => launches[clock === undefined ? 'none' : 'clock']
}

export function dotAttentionGpu(engine: GpuEngine): DotAttentionKernel {
  const peakOf = both(engine, peakKernel)
  const massOf = both(engine, massKernel)
  const outOf = both(engine, forward)
  return ({ q, k, v, clock }, out, stats, sizes) => {
    const { batch, heads, kvHeads, queries, keys, dim, valueDim, capacity, clockBatch, scale } = sizes
    const last = [
      ...(clock === undefined ? [] : [clock]),
      ...[heads, heads / kvHeads, queries, keys, dim, valueDim, capacity, clockBatch, scale],
    ]
    const rows = [2, queries, batch * heads] as const
    peakOf(clock)([q, k, ...last], rows, stats)
    massOf(clock)([q, k, stats, ...last], rows, stats)
    outOf(clock)([q, k, v, stats, ...last], [valueDim, queries, batch * heads], out)
  }
}

export function dotAttentionGradGpu(engine: GpuEngine): DotAttentionGradKernel {
  const join = engine.kernel(JOIN)
  const queryGrad = both(engine, dQuery)
  const keyGrad = both(engine, dKey)
  const valueGrad = both(engine, dValue)
  const clockGrad = both(engine, dClockKernel)
  return ({ q, k, v, clock }, saved, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, dim, valueDim, capacity, clockBatch, scale } = sizes
    const allHeads = batch * heads
    const last = [
      ...(clock === undefined ? [] : [clock]),
      ...[heads, heads / kvHeads, queries, keys, dim, valueDim, capacity, clockBatch, scale],
    ]
    using joined = engine.scratch(allHeads * queries * 3)
    join([saved.stats, saved.delta], [3, allHeads * queries], joined.handle)
    const all = [q, k, v, joined.handle, saved.dOut, ...last]
    queryGrad(clock)([...all, spans, Math.ceil(keys / spans)], [dim, queries, allHeads * spans], grads.dQ)
    keyGrad(clock)(all, [dim, keys, batch * kvHeads], grads.dK)
    valueGrad(clock)([q, k, joined.handle, saved.dOut, ...last], [valueDim, keys, batch * kvHeads], grads.dV)
    if (grads.dClock !== undefined) clockGrad(clock)(all, [keys, allHeads], grads.dClock)
  }
}
