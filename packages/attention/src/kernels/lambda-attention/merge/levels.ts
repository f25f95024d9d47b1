import type { AttentionSizes } from '../../attention-shape.ts'

/** Times in a block of level 0, a power of two from 16 to 64. Pairs within such a block are read one by
 *  one. */
export const BLOCK = 64
/** Keys of a chunk. In each level a query reads the keys of one chunk one by one: the chunk around its own λ.
 *  The other chunks it reads as states. In the backward pass a key reads a chunk of queries in the same
 *  way. */
export const CHUNK = 16
/** Channels that a thread sums, four vectors of four. It computes each weight once for all of them. */
export const CHANNELS = 16

/** Counts of the levels. Level l has blocks of block·2^l times. It joins the blocks in pairs: queries of the
 *  later block read keys of the earlier one. A state is a sum over a part of a block. */
interface Levels {
  readonly block: number
  readonly levels: number
  /** Chunks of keys in all levels of a head. There are as many chunks of queries. */
  readonly slots: number
  /** Pairs of blocks of the lowest level. */
  readonly pairs: number
  /** Threads that share the channels of one row. */
  readonly lanes: number
}

const pairsOf = (keys: number, width: number): number => Math.max(0, Math.ceil((keys - width) / (2 * width)))

/** Each count is at least 1, because a buffer of length 0 does not exist. */
export function levelsOf({ keys, valueDim }: AttentionSizes, block: number): Levels {
  const levels = Math.max(1, Math.ceil(Math.log2(keys / block)))
  const widths = Array.from({ length: levels }, (_, level) => block * 2 ** level)
  const slots = widths.reduce((sum, width) => sum + (pairsOf(keys, width) * width) / CHUNK, 0)
  return {
    block,
    levels,
    slots: Math.max(1, slots),
    pairs: Math.max(1, pairsOf(keys, block)),
    lanes: Math.ceil(valueDim / CHANNELS),
  }
}

/** Numbers per entry of an order: λ and the time. */
export const ORDER_LENGTH = 2

/** Elements of the buffer of states. Each chunk has one state per side. A state has its channels, the moments
 *  of the channels if `hasMoments`, and a mark of 4 elements. */
export function statesLength(sizes: AttentionSizes, block: number, hasMoments: boolean): number {
  const { slots, lanes } = levelsOf(sizes, block)
  return sizes.batch * sizes.heads * slots * 2 * ((hasMoments ? 2 : 1) * lanes * CHANNELS + 4)
}

/** Elements of the longest buffer that the kernels need. */
export function longestBuffer(sizes: AttentionSizes, tape: boolean): number {
  const order = sizes.batch * sizes.heads * levelsOf(sizes, BLOCK).levels * sizes.keys * ORDER_LENGTH
  return Math.max(order, statesLength(sizes, BLOCK, tape))
}
