import { exp1 } from '@tau/tensor/assembly/simd'
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
  scaleRow,
} from './blocks'
import { firstBlock, hideOld, scoreRow, softmaxRow } from './dot-attention-scores'
import { dotAttentionThin, FEW_QUERIES } from './dot-attention-thin'

/** Causal softmax attention in blocks: out = softmax_j(scale · q·k_j + c_j − c_i)·v. An item is
 *  (b, h, block of QUERIES queries); the block runs fastest. It passes over the keys once with a running
 *  maximum. When the maximum rises, the sums of the row are rescaled (Milakov and Gimelshein 2018, Dao et al.
 *  2022). Keys and values have `capacity` rows per head, and decay and decayLow as many numbers. decay or
 *  decayLow 0: there is none. decayBatch is the number of readings per batch entry. A query sees the newest
 *  `window` keys, at most `keys`. Blocks of keys that no query of a block sees are skipped.
 *  stats[row] = (maximum, 1 / mass). dotAttentionThin handles up to FEW_QUERIES queries. */
export function dotAttention(
  q: usize,
  k: usize,
  v: usize,
  decay: usize,
  decayLow: usize,
  out: usize,
  stats: usize,
  scale: f32,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  valueDim: i32,
  capacity: i32,
  decayBatch: i32,
  window: i32,
  begin: i32,
  end: i32,
): void {
  if (queries <= FEW_QUERIES) {
    dotAttentionThin(
      q,
      k,
      v,
      decay,
      decayLow,
      out,
      stats,
      scale,
      heads,
      kvHeads,
      queries,
      keys,
      dim,
      valueDim,
      capacity,
      decayBatch,
      window,
      begin,
      end,
    )
    return
  }
  const edge = workspace()
  const decayList = edge + EDGE_BYTES
  const lowList = decayList + LIST_BYTES
  const largest = lowList + LIST_BYTES
  const mass = largest + LIST_BYTES
  const block = mass + LIST_BYTES
  const packedWeights = block + BLOCK_BYTES
  const packedValues = packedWeights + panelBytes(QUERIES, KEYS)
  const packedQueries = packedValues + panelBytes(valueDim, KEYS)
  const packedKeys = packedQueries + panelBytes(QUERIES, dim)
  memory.fill(decayList, 0, 2 * LIST_BYTES)

  const blocks = (queries + QUERIES - 1) / QUERIES
  const row = (<usize>dim) << 2
  const valueRow = (<usize>valueDim) << 2
  for (let item = begin; item < end; item++) {
    const head = item / blocks // b·H + h
    const firstQuery = (item % blocks) * QUERIES
    const rows = min(QUERIES, queries - firstQuery)
    const time = firstQuery + keys - queries // of the block's first query
    const kvHead = (head / heads) * kvHeads + (head % heads) / (heads / kvHeads)
    const first = <usize>head * <usize>queries + <usize>firstQuery
    const keyRows = k + (<usize>kvHead) * (<usize>capacity) * row
    const values = v + (<usize>kvHead) * (<usize>capacity) * valueRow
    const reading = ((<usize>(head / heads)) * (<usize>decayBatch) + (<usize>(head % heads)) * (<usize>capacity)) << 2
    const decays = decay ? decay + reading : 0
    const decaysLow = decayLow ? decayLow + reading : 0
    const target = out + first * valueRow
    const seen = time + rows // keys that the last query sees

    packLeft(q + first * row, row, 4, rows, dim, packedQueries)
    memory.fill(target, 0, (<usize>rows) * valueRow)
    for (let r = 0; r < rows; r++) {
      store<f32>(largest + ((<usize>r) << 2), -Infinity)
      store<f32>(mass + ((<usize>r) << 2), 0)
    }
    for (let j0 = firstBlock(time, window); j0 < seen; j0 += KEYS) {
      const count = min(KEYS, seen - j0)
      if (decays) loadList(decays + ((<usize>j0) << 2), count, decayList)
      if (decaysLow) loadList(decaysLow + ((<usize>j0) << 2), count, lowList)
      packRight(keyRows + (<usize>j0) * row, row, 4, count, dim, packedKeys)
      multiply(packedQueries, packedKeys, block, BLOCK_ROW, rows, (count + 7) & ~7, dim, false, edge)
      for (let r = 0; r < rows; r++) {
        const at = (<usize>r) << 2
        const scores = block + (<usize>r) * BLOCK_ROW
        const visible = min(count, time + r + 1 - j0)
        if (!hideOld(scores, time + r + 1 - window - j0, visible)) continue
        const own = (<usize>(time + r)) << 2
        const now = decays ? load<f32>(decays + own) : 0
        const nowLow = decaysLow ? load<f32>(decaysLow + own) : 0
        const before = load<f32>(largest + at)
        const peak = max(before, scoreRow(scores, visible, scale, decays ? decayList : 0, now, lowList, nowLow))
        if (peak != before) {
          const factor = exp1(before - peak)
          store<f32>(largest + at, peak)
          store<f32>(mass + at, factor * load<f32>(mass + at))
          scaleRow(target + (<usize>r) * valueRow, valueDim, factor)
        }
        store<f32>(mass + at, load<f32>(mass + at) + softmaxRow(scores, visible, peak, 1))
      }
      packLeft(block, BLOCK_ROW, 4, rows, count, packedWeights)
      packRight(values + (<usize>j0) * valueRow, 4, valueRow, valueDim, count, packedValues)
      multiply(packedWeights, packedValues, target, valueRow, rows, valueDim, count, true, edge)
    }

    let stat = stats + (first << 3)
    for (let r = 0; r < rows; r++) {
      const at = (<usize>r) << 2
      const factor: f32 = 1 / load<f32>(mass + at)
      scaleRow(target + (<usize>r) * valueRow, valueDim, factor)
      store<f32>(stat, load<f32>(largest + at))
      store<f32>(stat, factor, 4)
      stat += 8
    }
  }
}
