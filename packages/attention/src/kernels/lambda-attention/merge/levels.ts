import type { AttentionSizes } from '../../attention-shape.ts'

/** Times of a block whose pairs are read one by one, a power of two from 16 to 64. */
export const BLOCK = 64
/** Keys in order of λ that a query reads one by one in every level, and queries that a key reads: those about its own λ. */
export const CHUNK = 16
/** Channels of a thread, which shares their weights: four vectors. */
export const CHANNELS = 16

/** Level l joins blocks of block·2^l times: the queries of every second one to the keys of the one before it. A state is a sum over a part
 *  of a block. */
interface Levels {
  readonly block: number
  readonly levels: number
  /** Chunks of all levels, of keys and as many of queries. */
  readonly slots: number
  /** Pairs of blocks of the lowest level. */
  readonly pairs: number
  /** Threads to all channels. */
  readonly lanes: number
}

const pairsOf = (keys: number, width: number): number => Math.max(0, Math.ceil((keys - width) / (2 * width)))

/** At least one of everything, for there are no buffers of length 0. */
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

/** Numbers of a time in an order: λ and the time. */
export const ORDER_LENGTH = 2

/** Elements of the states, of which there is one of each side to a chunk: channels, their moments where they are wanted, and a mark. */
export function statesLength(sizes: AttentionSizes, block: number, hasMoments: boolean): number {
  const { slots, lanes } = levelsOf(sizes, block)
  return sizes.batch * sizes.heads * slots * 2 * ((hasMoments ? 2 : 1) * lanes * CHANNELS + 4)
}

/** Elements of the longest buffer that the kernels work with. */
export function longestBuffer(sizes: AttentionSizes, tape: boolean): number {
  const order = sizes.batch * sizes.heads * levelsOf(sizes, BLOCK).levels * sizes.keys * ORDER_LENGTH
  return Math.max(order, statesLength(sizes, BLOCK, tape))
}
