import { splat, sumLanes } from '@tau/tensor/assembly/simd'
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
} from './blocks'
import { hideOld, scoreRow, softmaxRow } from './dot-attention-scores'

/** Backward pass of {@link dotAttention}. p are the weights, G = dOut and δ_i = G_i·out_i.
 *    ds_ij = p_ij (G_i·v_j − δ_i)
 *    dq_i = scale Σ_j ds_ij k_j
 *    dk_j = scale Σ_i ds_ij q_i
 *    dv_j = Σ_i p_ij G_i
 *    dlogDecay_j = Σ_i ds_ij
 *    dnow_i = −Σ_j ds_ij, for the query's own reading
 *  dnow is 0 but for rounding; it removes that rounding from dlogDecay. An item is
 *  (b, kv head, span of key blocks); the span runs fastest. Each span writes its own sums for the queries: dQ
 *  [B, H, spans, Tq, D] and dNow [B, H, spans, Tq]. dLogDecay is [B, H, Tk]. dLogDecay and dNow are 0 if
 *  nobody asks for them. A query sees the newest `window` keys. */
export function dotAttentionGrad(
  q: usize,
  k: usize,
  v: usize,
  decay: usize,
  decayLow: usize,
  stats: usize,
  dOut: usize,
  delta: usize,
  dQ: usize,
  dK: usize,
  dV: usize,
  dLogDecay: usize,
  dNow: usize,
  scale: f32,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  valueDim: i32,
  spans: i32,
  decayBatch: i32,
  window: i32,
  begin: i32,
  end: i32,
): void {
  const edge = workspace()
  const decayList = edge + EDGE_BYTES
  const lowList = decayList + LIST_BYTES
  const scoreSums = lowList + LIST_BYTES // Σ_i ds per key
  const weights = scoreSums + LIST_BYTES
  const products = weights + BLOCK_BYTES // G·vᵀ, then ds
  const packedKeys = products + BLOCK_BYTES // right operand of q·kᵀ
  const packedKeyRows = packedKeys + panelBytes(KEYS, dim) // right operand of ds·k
  const packedValues = packedKeyRows + panelBytes(dim, KEYS)
  const packedQueries = packedValues + panelBytes(KEYS, valueDim)
  const packedGrads = packedQueries + panelBytes(dim, QUERIES)
  const packedBlock = packedGrads + panelBytes(valueDim, QUERIES)
  const row = (<usize>dim) << 2
  const valueRow = (<usize>valueDim) << 2
  const group = heads / kvHeads
  memory.fill(decayList, 0, 2 * LIST_BYTES)

  for (let item = begin; item < end; item++) {
    const kvHead = item / spans // b·Hkv + hk
    const span = item % spans
    const from = spanStart(span, spans, keys)
    const to = spanStart(span + 1, spans, keys)
    const batch = kvHead / kvHeads
    const firstHead = batch * heads + (kvHead % kvHeads) * group
    const firstKey = <usize>kvHead * <usize>keys
    memory.fill(dK + (firstKey + <usize>from) * row, 0, (<usize>(to - from)) * row)
    memory.fill(dV + (firstKey + <usize>from) * valueRow, 0, (<usize>(to - from)) * valueRow)
    for (let g = 0; g < group; g++) {
      const part = <usize>((firstHead + g) * spans + span)
      memory.fill(dQ + part * (<usize>queries) * row, 0, (<usize>queries) * row)
      if (dNow) memory.fill(dNow + ((part * <usize>queries) << 2), 0, (<usize>queries) << 2)
    }

    for (let j0 = from; j0 < to; j0 += KEYS) {
      const count = min(KEYS, to - j0)
      const wide = (count + 7) & ~7 // padding is zeros, so whole vectors read only finite numbers
      const here = firstKey + <usize>j0
      packRight(k + here * row, row, 4, count, dim, packedKeys)
      packRight(k + here * row, 4, row, dim, count, packedKeyRows)
      packRight(v + here * valueRow, valueRow, 4, count, valueDim, packedValues)
      for (let g = 0; g < group; g++) {
        const head = firstHead + g
        const part = <usize>(head * spans + span)
        const reading = ((<usize>batch) * (<usize>decayBatch) + (<usize>(head % heads)) * (<usize>keys)) << 2
        const decays = decay ? decay + reading : 0
        const decaysLow = decayLow ? decayLow + reading : 0
        if (decays) loadList(decays + ((<usize>j0) << 2), count, decayList)
        if (decaysLow) loadList(decaysLow + ((<usize>j0) << 2), count, lowList)
        memory.fill(scoreSums, 0, BLOCK_ROW)
        // Queries from this one on do not see the block.
        const lastQuery = min(queries, j0 + count - 1 + window - (keys - queries))
        for (let i0 = max(0, j0 - (keys - queries)); i0 < lastQuery; i0 += QUERIES) {
          const rows = min(QUERIES, lastQuery - i0)
          const time = i0 + keys - queries
          const first = <usize>head * <usize>queries + <usize>i0
          const queryRows = q + first * row
          const grads = dOut + first * valueRow
          packLeft(queryRows, row, 4, rows, dim, packedQueries)
          multiply(packedQueries, packedKeys, weights, BLOCK_ROW, rows, wide, dim, false, edge)
          packLeft(grads, valueRow, 4, rows, valueDim, packedGrads)
          multiply(packedGrads, packedValues, products, BLOCK_ROW, rows, wide, valueDim, false, edge)
          for (let r = 0; r < rows; r++) {
            const i = first + <usize>r
            const at = (<usize>r) * BLOCK_ROW
            const stat = stats + (i << 3)
            const own = (<usize>(time + r)) << 2
            const now = decays ? load<f32>(decays + own) : 0
            const nowLow = decaysLow ? load<f32>(decaysLow + own) : 0
            const visible = min(count, time + r + 1 - j0)
            if (hideOld(weights + at, time + r + 1 - window - j0, visible)) {
              scoreRow(weights + at, visible, scale, decays ? decayList : 0, now, lowList, nowLow)
              softmaxRow(weights + at, visible, load<f32>(stat), load<f32>(stat, 4))
            }
            const total = scoreGrads(weights + at, products + at, wide, load<f32>(delta + (i << 2)), scale, scoreSums)
            if (dNow) {
              const sum = dNow + ((part * <usize>queries + <usize>(i0 + r)) << 2)
              store<f32>(sum, load<f32>(sum) - total)
            }
          }
          packLeft(weights, 4, BLOCK_ROW, count, rows, packedBlock)
          packRight(grads, 4, valueRow, valueDim, rows, packedGrads)
          multiply(packedBlock, packedGrads, dV + here * valueRow, valueRow, count, valueDim, rows, true, edge)
          packLeft(products, 4, BLOCK_ROW, count, rows, packedBlock)
          packRight(queryRows, 4, row, dim, rows, packedQueries)
          multiply(packedBlock, packedQueries, dK + here * row, row, count, dim, rows, true, edge)
          packLeft(products, BLOCK_ROW, 4, rows, count, packedBlock)
          const target = dQ + (part * <usize>queries + <usize>i0) * row
          multiply(packedBlock, packedKeyRows, target, row, rows, dim, count, true, edge)
        }
        if (dLogDecay)
          memory.copy(dLogDecay + (((<usize>head) * (<usize>keys) + (<usize>j0)) << 2), scoreSums, (<usize>count) << 2)
      }
    }
  }
}

/** Adds ds = weights·(products − δ) to sums. Replaces products by scale·ds. Returns Σ ds. */
function scoreGrads(weights: usize, products: usize, wide: i32, delta: f32, scale: f32, sums: usize): f32 {
  let total = splat(0)
  for (let j: usize = 0; j < (<usize>wide) << 2; j += 16) {
    const dScore = f32x4.mul(v128.load(weights + j), f32x4.sub(v128.load(products + j), splat(delta)))
    total = f32x4.add(total, dScore)
    v128.store(sums + j, f32x4.add(v128.load(sums + j), dScore))
    v128.store(products + j, f32x4.mul(splat(scale), dScore))
  }
  return sumLanes(total)
}
