import { fma, splat, sumLanes } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import {
  BLOCK_BYTES,
  BLOCK_ROW,
  EDGE_BYTES,
  KEYS,
  LIST_BYTES,
  loadList,
  multiply,
  packLeft,
  packRight,
  panelBytes,
  QUERIES,
  spanStart,
} from '../blocks'
import { beyondTop, LOWER, LOWER_LOW, MASS, MEAN, STAT_BYTES, UPPER, UPPER_LOW, weigh } from './quadratic'

/** Backward pass of {@link lambdaAttention}. p are the weights, G = dOut, and centre + rest = out. Each row
 *  has the products G_i·centre_i and G_i·rest_i in `dots`; see top-dots.ts.
 *    ds_ij = p_ij ((G_i·v_j − G_i·centre_i) − G_i·rest_i), exact even if one weight is almost 1
 *    dλq_i = −β Σ_j ds_ij sgn(λq_i − λk_j)
 *    dλk_j = β Σ_i ds_ij sgn(λq_i − λk_j)
 *    dv_j = Σ_i p_ij G_i
 *    dlogDecay_j = Σ_i ds_ij
 *    dnow_i = −Σ_j ds_ij, for the query's own reading
 *    dtemperature = β² Σ ds_ij (gap_ij − mean_i)
 *  dnow is 0 but for rounding; it removes that rounding from dlogDecay. A row of ds sums to zero, so mean_i
 *  changes nothing exactly. With it an error in `dots` cancels. An item is (b, kv head, span of key blocks);
 *  the span runs fastest. Each span writes its own sums for queries and temperature: dQ and dNow
 *  [B, H, spans, Tq], dTemperature [B, H, spans]. dLogDecay is [B, H, Tk]. dLogDecay and dNow are 0 if nobody
 *  asks for them. */
export function lambdaAttentionGrad(
  lambdaQ: usize,
  lambdaK: usize,
  v: usize,
  temperature: usize,
  decay: usize,
  decayLow: usize,
  stats: usize,
  dOut: usize,
  dots: usize,
  dQ: usize,
  dK: usize,
  dV: usize,
  dTemperature: usize,
  dLogDecay: usize,
  dNow: usize,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  spans: i32,
  decayBatch: i32,
  begin: i32,
  end: i32,
): void {
  const edge = workspace()
  const keyList = edge + EDGE_BYTES
  const decayList = keyList + LIST_BYTES
  const lowList = decayList + LIST_BYTES
  const sideSums = lowList + LIST_BYTES // Σ_i ds sgn per key
  const scoreSums = sideSums + LIST_BYTES // Σ_i ds per key
  const weights = scoreSums + LIST_BYTES
  const products = weights + BLOCK_BYTES // G·vᵀ
  const packedValues = products + BLOCK_BYTES
  const packedGrads = packedValues + panelBytes(KEYS, dim)
  const packedWeights = packedGrads + panelBytes(dim, QUERIES)
  const row = (<usize>dim) << 2
  const group = heads / kvHeads
  memory.fill(decayList, 0, 2 * LIST_BYTES)

  for (let item = begin; item < end; item++) {
    const kvHead = item / spans // b·Hkv + hk
    const span = item % spans
    const from = spanStart(span, spans, keys)
    const to = spanStart(span + 1, spans, keys)
    const batch = kvHead / kvHeads
    const firstHead = batch * heads + (kvHead % kvHeads) * group
    const k = lambdaK + (((<usize>kvHead) * (<usize>keys)) << 2)
    const values = v + (<usize>kvHead) * (<usize>keys) * row
    const dValues = dV + (<usize>kvHead) * (<usize>keys) * row
    memory.fill(dValues + (<usize>from) * row, 0, (<usize>(to - from)) * row)
    for (let g = 0; g < group; g++) {
      const part = (firstHead + g) * spans + span
      memory.fill(dQ + (((<usize>part) * (<usize>queries)) << 2), 0, (<usize>queries) << 2)
      if (dNow) memory.fill(dNow + (((<usize>part) * (<usize>queries)) << 2), 0, (<usize>queries) << 2)
      store<f32>(dTemperature + ((<usize>part) << 2), 0)
    }

    for (let j0 = from; j0 < to; j0 += KEYS) {
      const count = min(KEYS, to - j0)
      const wide = (count + 7) & ~7 // padding values are zeros, so whole vectors read only finite numbers
      loadList(k + ((<usize>j0) << 2), count, keyList)
      packRight(values + (<usize>j0) * row, row, 4, count, dim, packedValues)
      for (let g = 0; g < group; g++) {
        const head = firstHead + g
        const h = head % heads
        const part = head * spans + span
        const beta: f32 = 1 / load<f32>(temperature + ((<usize>h) << 2))
        const reading = ((<usize>batch) * (<usize>decayBatch) + (<usize>h) * (<usize>keys) + <usize>j0) << 2
        if (decay) loadList(decay + reading, count, decayList)
        if (decayLow) loadList(decayLow + reading, count, lowList)
        memory.fill(sideSums, 0, BLOCK_ROW)
        memory.fill(scoreSums, 0, BLOCK_ROW)
        let moment: f64 = 0
        for (let i0 = max(0, j0 - (keys - queries)); i0 < queries; i0 += QUERIES) {
          const rows = min(QUERIES, queries - i0)
          const time = i0 + keys - queries
          const first = <usize>head * <usize>queries + <usize>i0
          const grads = dOut + first * row
          for (let r = 0; r < rows; r++) {
            const i = first + <usize>r
            const stat = stats + i * STAT_BYTES
            weigh(
              -beta, min(count, time + r + 1 - j0), keyList, decay ? decayList : 0, lowList, stat,
              load<f32>(stat, MASS), weights + (<usize>r) * BLOCK_ROW, 0,
            )
          }
          packLeft(grads, row, 4, rows, dim, packedGrads)
          multiply(packedGrads, packedValues, products, BLOCK_ROW, rows, wide, dim, false, edge)
          for (let r = 0; r < rows; r++) {
            const i = first + <usize>r
            const visible = min(count, time + r + 1 - j0)
            const at = (<usize>r) * BLOCK_ROW
            const own = ((<usize>part) * (<usize>queries) + (<usize>(i0 + r))) << 2
            moment += <f64>addRow(
              weights + at, products + at, visible, dots + (i << 3), load<f32>(lambdaQ + (i << 2)),
              stats + i * STAT_BYTES, -beta, keyList, sideSums, scoreSums, dQ + own,
              dNow ? dNow + own : 0,
            )
          }
          packLeft(weights, 4, BLOCK_ROW, count, rows, packedWeights)
          packRight(grads, 4, row, dim, rows, packedGrads)
          multiply(packedWeights, packedGrads, dValues + (<usize>j0) * row, row, count, dim, rows, true, edge)
        }
        const slope = dTemperature + ((<usize>part) << 2)
        store<f32>(slope, <f32>(<f64>load<f32>(slope) + <f64>beta * <f64>beta * moment))
        addScaled(sideSums, beta, count, dK + (((<usize>kvHead) * (<usize>keys) + (<usize>j0)) << 2), g > 0)
        if (dLogDecay)
          memory.copy(dLogDecay + (((<usize>head) * (<usize>keys) + (<usize>j0)) << 2), scoreSums, (<usize>count) << 2)
      }
    }
  }
}

/** One query against one block of keys. Adds ds·sgn to sideSums, ds to scoreSums, −β Σ ds·sgn to *dQuery and
 *  −Σ ds to *dNow (dNow 0: not wanted). Returns Σ ds·(gap − mean gap). */
function addRow(
  weights: usize,
  products: usize,
  visible: i32,
  dots: usize,
  query: f32,
  stat: usize,
  minusBeta: f32,
  keys: usize,
  sideSums: usize,
  scoreSums: usize,
  dQuery: usize,
  dNow: usize,
): f32 {
  const x = splat(query)
  const product = v128.load32_splat(dots)
  const rest = v128.load32_splat(dots, 4)
  const upper = v128.load32_splat(stat, UPPER)
  const upperLow = v128.load32_splat(stat, UPPER_LOW)
  const lower = v128.load32_splat(stat, LOWER)
  const lowerLow = v128.load32_splat(stat, LOWER_LOW)
  const mean = v128.load32_splat(stat, MEAN)
  let sides = splat(0)
  let scores = splat(0)
  let moments = splat(0)
  for (let left = visible; left > 0; left -= 4) {
    const key = v128.load(keys)
    const difference = f32x4.sub(x, key)
    const slope = f32x4.sub(f32x4.sub(v128.load(products), product), rest)
    const dScore = f32x4.mul(v128.load(weights), slope)
    // ds with the sign of the difference; 0 if the difference is 0
    const signed = v128.xor(dScore, v128.and(difference, i32x4.splat(0x80000000)))
    const side = v128.andnot(signed, f32x4.eq(difference, splat(0)))
    sides = f32x4.add(sides, side)
    scores = f32x4.add(scores, dScore)
    const beyond = beyondTop(key, upper, upperLow, lower, lowerLow)
    moments = fma(dScore, f32x4.sub(beyond, mean), moments)
    v128.store(sideSums, f32x4.add(v128.load(sideSums), side))
    v128.store(scoreSums, f32x4.add(v128.load(scoreSums), dScore))
    weights += 16
    products += 16
    keys += 16
    sideSums += 16
    scoreSums += 16
  }
  store<f32>(dQuery, load<f32>(dQuery) + minusBeta * sumLanes(sides))
  if (dNow) store<f32>(dNow, load<f32>(dNow) - sumLanes(scores))
  return sumLanes(moments)
}

/** target[j] = (target[j] if `accumulate`) + factor · source[j]. */
function addScaled(source: usize, factor: f32, count: i32, target: usize, accumulate: bool): void {
  for (let j: usize = 0; j < (<usize>count) << 2; j += 4)
    store<f32>(target + j, (accumulate ? load<f32>(target + j) : 0) + factor * load<f32>(source + j))
}
