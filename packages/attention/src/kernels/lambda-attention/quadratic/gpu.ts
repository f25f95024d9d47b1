import { foldGpu, type GpuEngine, type GpuKernel } from '@tau/tensor/kernel'
import {
  addToTotal,
  attentionArgs,
  BATCH,
  BY_ROW,
  byDecay,
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
  sizeArgs,
  TOTAL,
} from '../../attention-gpu.ts'
import type { LambdaAttentionGradKernel, LambdaAttentionKernel } from '../lambda-attention.ts'
import { STAT, STATS } from '../stats.ts'

/** Fields that the backward kernels read of a row: its stats, dOut·centre in two parts, dOut·rest and λq. */
const JOINED = { product: STATS, productLow: STATS + 1, rest: STATS + 2, query: STATS + 3 } as const
const JOINED_STATS = STATS + 4

type StatField = (typeof STAT)[keyof typeof STAT] | (typeof JOINED)[keyof typeof JOINED]

const statOf = (pair: Pair, fields: number, field: StatField) =>
  `stats[${queryRow(pair)} * ${fields} + ${field}]`

/** Declares what a weight needs of a row. It runs once per row. */
const rowOf = (pair: Pair, fields: number) => {
  const stat = (name: keyof typeof STAT) => statOf(pair, fields, STAT[name])
  return `
    const upper = ${stat('upper')}
    const upperLow = ${stat('upperLow')}
    const lower = ${stat('lower')}
    const lowerLow = ${stat('lowerLow')}
    const topDecay = ${stat('logDecay')}
    const topDecayLow = ${stat('decayLow')}
    const share = ${stat('mass')}`
}

/** Declares `beyond`, the gap minus the top key's gap, and `weight` of a pair. It comes after
 *  {@link rowOf}. */
const weightOf = (pair: Pair, logDecay: DecayForm) => {
  const key = `lambdaK[${keyRow(pair)}]`
  const since = { high: 'topDecay', low: 'topDecayLow' }
  return `
          const above = (${key} - upper) - upperLow
          const below = (lower - ${key}) + lowerLow
          const beyond = Math.max(above, below)
          const exponent = ${elapsed(logDecay, pair.key, since)} - beyond / temperature[h | 0]
          const weight = Math.exp(exponent) * share`
}

/** Declares what a dScore needs of a row. It runs once per row. */
const backwardRowOf = (pair: Pair) => `${rowOf(pair, JOINED_STATS)}
    const centreProduct = ${statOf(pair, JOINED_STATS, JOINED.product)}
    const centreProductLow = ${statOf(pair, JOINED_STATS, JOINED.productLow)}
    const restProduct = ${statOf(pair, JOINED_STATS, JOINED.rest)}`

/** Declares `beyond`, `weight` and `dScore` of a pair. It comes after {@link backwardRowOf}. */
const dScoreOf = (pair: Pair, logDecay: DecayForm) => `${weightOf(pair, logDecay)}
          let product = 0.0
          for (let d = 0; d < valueDim; d++) {
            product += dOut[${queryRow(pair)} * valueDim + (d | 0)] * v[${keyRow(pair)} * valueDim + (d | 0)]
          }
          const slope = ((product - centreProduct) - centreProductLow) - restProduct
          const dScore = weight * slope`

/** Index of the top key. Each thread handles one (query, head). */
const topKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `lambdaTop_${logDecay}`,
  args: attentionArgs(['lambdaQ', 'lambdaK', 'temperature'], logDecay),
  body: overVisibleKeys(
    `let peak = -3e38
    let top = 0.0`,
    `
          const gap = Math.abs(lambdaQ[${queryRow(BY_ROW)}] - lambdaK[${keyRow(BY_ROW)}])
          const score = ${elapsed(logDecay, BY_ROW.key, reading(logDecay, `(${BY_ROW.query} + keys - queries)`))} - gap / temperature[h | 0]
          if (score > peak) {
            peak = score
            top = j
          }`,
    'return top',
    { query: BY_ROW.query, head: 'this.thread.y' },
  ),
})

/** Declares `top`, the index of a row's top key, and `key`, its λ. They are variables because WebGL does not
 *  compile a buffer read inside an index. */
const topKey = (pair: Pair) => `const top = tops[${queryRow(pair)}]
    const key = lambdaK[(kvHead | 0) * capacity + (top | 0)]`

/** The mirror image of the top key: the other λ with the same gap, rounded. */
const MIRROR: GpuKernel = {
  name: 'lambdaMirror',
  args: attentionArgs(['lambdaQ', 'lambdaK', 'tops'], 'none'),
  body: `
    const head = this.thread.y
    ${KV_HEAD}
    ${topKey(BY_ROW)}
    return 2.0 * lambdaQ[${queryRow(BY_ROW)}] - key`,
}

/** Writes all stats. mass (1) and mean (0) are placeholders until {@link massKernel}. Knuth's TwoSum gives
 *  the rounding error of the mirror image exactly; in f64 it does too. */
const placeKernel = (logDecay: DecayForm): GpuKernel => {
  const at = reading(logDecay, '(top | 0)')
  return {
    name: `lambdaPlace_${logDecay}`,
    args: attentionArgs(['lambdaQ', 'lambdaK', 'tops', 'mirrors'], logDecay),
    body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    ${topKey(FORWARD)}
    if (this.thread.x === ${STAT.logDecay}) { return ${at.high} }
    if (this.thread.x === ${STAT.decayLow}) { return ${at.low} }
    if (this.thread.x === ${STAT.mass}) { return 1 }
    if (this.thread.x === ${STAT.mean}) { return 0 }
    if (this.thread.x === ${STAT.top}) { return top }
    const query = lambdaQ[${queryRow(FORWARD)}]
    const mirror = mirrors[${queryRow(FORWARD)}]
    const twice = 2.0 * query
    const back = mirror - twice
    const rest = (twice - (mirror - back)) - (key + back)
    if (this.thread.x === ${STAT.upper}) {
      if (key > query) { return key }
      return mirror
    }
    if (this.thread.x === ${STAT.upperLow}) {
      if (key > query) { return 0 }
      return rest
    }
    if (this.thread.x === ${STAT.lower}) {
      if (key > query) { return mirror }
      return key
    }
    if (key > query) { return rest }
    return 0`,
  }
}

/** Writes 1 / mass and the mean into stats. */
const massKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `lambdaMass_${logDecay}`,
  args: attentionArgs(['lambdaK', 'temperature', 'stats'], logDecay),
  body: overVisibleKeys(
    `if (this.thread.x !== ${STAT.mass}) {
      if (this.thread.x !== ${STAT.mean}) { return stats[${queryRow(FORWARD)} * ${STATS} + this.thread.x] }
    }
    let mass = 0.0
    let moment = 0.0${rowOf(FORWARD, STATS)}`,
    `${weightOf(FORWARD, logDecay)}
          mass += weight
          moment += weight * beyond`,
    `if (this.thread.x === ${STAT.mass}) { return 1.0 / mass }
    return moment / mass`,
  ),
})

/** Declares `top` and `centre`. `centre` is 1 if v_top is the row's centre, and 0 if the centre is 0. */
const topOf = (pair: Pair) => `const top = ${statOf(pair, STATS, STAT.top)}
    let centre = 0.0
    if (${statOf(pair, STATS, STAT.mass)} > 0.5) { centre = 1.0 }`

const TOP_VALUE = `v[((kvHead | 0) * capacity + (top | 0)) * valueDim + this.thread.x]`

/** Σ_j p_j (v_j − centre). */
const restKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `lambdaRest_${logDecay}`,
  args: attentionArgs(['lambdaK', 'v', 'temperature', 'stats'], logDecay),
  body: overVisibleKeys(
    `${topOf(FORWARD)}
    const base = centre * ${TOP_VALUE}
    let total = 0.0${rowOf(FORWARD, STATS)}`,
    `${weightOf(FORWARD, logDecay)}
          total += weight * (v[${keyRow(FORWARD)} * valueDim + this.thread.x] - base)`,
    'return total',
  ),
})

const OUT: GpuKernel = {
  name: 'lambdaAttention',
  args: attentionArgs(['v', 'stats', 'rest'], 'none'),
  body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${topOf(FORWARD)}
    return centre * ${TOP_VALUE} + rest[${queryRow(FORWARD)} * valueDim + this.thread.x]`,
}

/** Declares `product`, dOut·centre of a row. It sums in the order of {@link dScoreOf}. */
const centreProduct = (pair: Pair) => `
    ${topOf(pair)}
    let product = 0.0
    for (let d = 0; d < valueDim; d++) {
      product += dOut[${queryRow(pair)} * valueDim + (d | 0)] * v[((kvHead | 0) * capacity + (top | 0)) * valueDim + (d | 0)]
    }
    product = centre * product`

const CENTRE_PRODUCT: GpuKernel = {
  name: 'lambdaCentreProduct',
  args: attentionArgs(['v', 'stats', 'dOut'], 'none'),
  body: `
    const head = this.thread.y
    ${KV_HEAD}${centreProduct(BY_ROW)}
    return product`,
}

/** Joins all fields of a row into one buffer, because a kernel takes at most seven buffers. */
const JOIN: GpuKernel = {
  name: 'lambdaJoin',
  args: attentionArgs(['lambdaQ', 'v', 'stats', 'rest', 'dOut', 'products'], 'none'),
  body: `
    const head = this.thread.z
    if (this.thread.x < ${STATS}) { return stats[${queryRow(FORWARD)} * ${STATS} + this.thread.x] }
    if (this.thread.x === ${JOINED.product}) { return products[${queryRow(FORWARD)}] }
    if (this.thread.x === ${JOINED.query}) { return lambdaQ[${queryRow(FORWARD)}] }
    if (this.thread.x === ${JOINED.rest}) {
      let dots = 0.0
      for (let d = 0; d < valueDim; d++) {
        dots += dOut[${queryRow(FORWARD)} * valueDim + (d | 0)] * rest[${queryRow(FORWARD)} * valueDim + (d | 0)]
      }
      return dots
    }
    ${KV_HEAD}${centreProduct(FORWARD)}
    return product - products[${queryRow(FORWARD)}]`,
}

const BACKWARD = ['lambdaK', 'v', 'temperature', 'stats', 'dOut'] as const

/** A sum over the keys of one span, per query. Each thread handles one (query, span, head). */
const overSpan = (name: string, logDecay: DecayForm, term: (pair: Pair) => string): GpuKernel => {
  const key = '(this.thread.y * each + (k | 0))'
  const pair: Pair = { kvHead: 'kvHead', query: 'this.thread.x', key }
  return {
    name: `${name}_${logDecay}`,
    args: attentionArgs(BACKWARD, logDecay, { each: 'int' }),
    body: `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    ${TOTAL}${backwardRowOf(pair)}
    for (let k = 0; k < each; k++) {
      if (${key} < keys && ${key} <= this.thread.x + keys - queries) {${dScoreOf(pair, logDecay)}${term(pair)}
      }
    }
    return total`,
  }
}

/** Adds dScore / temperature with the sign of λq − λk (`way` 1) or the opposite sign (−1). If the two are
 *  equal, it adds nothing. */
const addSigned = (pair: Pair, way: 1 | -1) => {
  const query = statOf(pair, JOINED_STATS, JOINED.query)
  const key = `lambdaK[${keyRow(pair)}]`
  return `
          let side = 0.0
          if (${query} > ${key}) { side = dScore }
          if (${query} < ${key}) { side = -dScore }${addToTotal(`${way === 1 ? '' : '-'}side / temperature[h | 0]`)}`
}

const dQueryKernel = (logDecay: DecayForm) => overSpan('lambdaGradQ', logDecay, (pair) => addSigned(pair, -1))

const momentKernel = (logDecay: DecayForm) =>
  overSpan('lambdaMoment', logDecay, (pair) => {
    const mean = statOf(pair, JOINED_STATS, STAT.mean)
    return `${addToTotal(`dScore * (beyond - ${mean}) / temperature[h | 0] / temperature[h | 0]`)}`
  })

const dNowKernel = (logDecay: DecayForm) =>
  overSpan('lambdaGradNow', logDecay, () => `${addToTotal('-dScore')}`)

const dDecayKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `lambdaGradDecay_${logDecay}`,
  args: attentionArgs(BACKWARD, logDecay),
  body: overQueriesOfHead(
    (pair) => `${backwardRowOf(pair)}${dScoreOf(pair, logDecay)}${addToTotal('dScore')}`,
  ),
})

const dKeyKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `lambdaGradK_${logDecay}`,
  args: attentionArgs(BACKWARD, logDecay),
  body: overQueriesOfGroup(
    'this.thread.y',
    'this.thread.x',
    (pair) => `${backwardRowOf(pair)}${dScoreOf(pair, logDecay)}${addSigned(pair, 1)}`,
  ),
})

const dValueKernel = (logDecay: DecayForm): GpuKernel => ({
  name: `lambdaGradV_${logDecay}`,
  args: attentionArgs(['lambdaK', 'temperature', 'stats', 'dOut'], logDecay),
  body: overQueriesOfGroup(
    'this.thread.z',
    'this.thread.y',
    (pair) =>
      `${rowOf(pair, JOINED_STATS)}${weightOf(pair, logDecay)}${addToTotal(`weight * dOut[${queryRow(pair)} * valueDim + this.thread.x]`)}`,
  ),
})

export function lambdaAttentionGpu(engine: GpuEngine): LambdaAttentionKernel {
  const findTop = byDecay(engine, topKernel)
  const mirrorOf = engine.kernel(MIRROR)
  const placed = byDecay(engine, placeKernel)
  const massOf = byDecay(engine, massKernel)
  const restOf = byDecay(engine, restKernel)
  const outOf = engine.kernel(OUT)
  return ({ lambdaQ, lambdaK, v, temperature, logDecay }, { out, rest, stats }, sizes) => {
    const { batch, heads, queries, valueDim } = sizes
    const allHeads = batch * heads
    const last = sizeArgs(logDecay, sizes)
    const plain = sizeArgs(undefined, sizes)
    using tops = engine.scratch(allHeads * queries)
    using mirrors = engine.scratch(allHeads * queries)
    using scratch = engine.scratch(rest === undefined ? allHeads * queries * valueDim : 0)
    const part = rest ?? scratch.handle
    const fields = [STATS, queries, allHeads] as const
    const vectors = [valueDim, queries, allHeads] as const
    findTop(logDecay)([lambdaQ, lambdaK, temperature, ...last], [queries, allHeads], tops.handle)
    mirrorOf([lambdaQ, lambdaK, tops.handle, ...plain], [queries, allHeads], mirrors.handle)
    placed(logDecay)([lambdaQ, lambdaK, tops.handle, mirrors.handle, ...last], fields, stats)
    massOf(logDecay)([lambdaK, temperature, stats, ...last], fields, stats)
    restOf(logDecay)([lambdaK, v, temperature, stats, ...last], vectors, part)
    outOf([v, stats, part, ...plain], vectors, out)
  }
}

export function lambdaAttentionGradGpu(engine: GpuEngine): LambdaAttentionGradKernel {
  const productOf = engine.kernel(CENTRE_PRODUCT)
  const join = engine.kernel(JOIN)
  const queryGrad = byDecay(engine, dQueryKernel)
  const momentOf = byDecay(engine, momentKernel)
  const keyGrad = byDecay(engine, dKeyKernel)
  const valueGrad = byDecay(engine, dValueKernel)
  const decayGrad = byDecay(engine, dDecayKernel)
  const nowGrad = byDecay(engine, dNowKernel)
  const sumRows = foldGpu(engine, {
    name: 'sumMoments',
    op: 'sum',
    args: { x: 'buffer' },
    term: (at) => `x[${at}]`,
  })
  return ({ lambdaQ, lambdaK, v, temperature, logDecay }, { stats, rest, dOut }, grads, sizes, spans) => {
    const { batch, heads, kvHeads, queries, keys, valueDim } = sizes
    const allHeads = batch * heads
    const last = sizeArgs(logDecay, sizes)
    const plain = sizeArgs(undefined, sizes)
    using products = engine.scratch(allHeads * queries)
    using joined = engine.scratch(allHeads * queries * JOINED_STATS)
    using moments = engine.scratch(allHeads * spans * queries)
    productOf([v, stats, dOut, ...plain], [queries, allHeads], products.handle)
    const row = [lambdaQ, v, stats, rest, dOut, products.handle]
    join([...row, ...plain], [JOINED_STATS, queries, allHeads], joined.handle)
    const all = [lambdaK, v, temperature, joined.handle, dOut, ...last]
    const each = Math.ceil(keys / spans)
    queryGrad(logDecay)([...all, each], [queries, spans, allHeads], grads.dLambdaQ)
    momentOf(logDecay)([...all, each], [queries, spans, allHeads], moments.handle)
    sumRows([moments.handle], grads.dTemperature, allHeads * spans, queries, 1)
    keyGrad(logDecay)(all, [keys, batch * kvHeads], grads.dLambdaK)
    const weights = [lambdaK, temperature, joined.handle, dOut, ...last]
    valueGrad(logDecay)(weights, [valueDim, keys, batch * kvHeads], grads.dV)
    if (!grads.logDecay) return
    decayGrad(logDecay)(all, [keys, allHeads], grads.logDecay.dLogDecay)
    nowGrad(logDecay)([...all, each], [queries, spans, allHeads], grads.logDecay.dNow)
  }
}
