import { ELEMENT_BYTES } from '@tau/tensor/kernel'

// The layout of a TauCache in device memory. assembly/tau-cache-view.ts has the other half and says what lies
// where.

/** Positions per block of data. */
export const BLOCK = 256
/** Keys of a leaf and children of a node in a tree that is built in one go. The most are LEAF and FAN of
 *  assembly/tau-cache-view.ts; the difference leaves room for new keys. */
export const BUILT_LEAF = 32
export const BUILT_FAN = 6

export const NODE_HEAD_BYTES = 48
const LIST_BYTES = 384

/** The most nodes that one change of a tree can need: copies or halves of the nodes on a path, and a new
 *  root. Trees stay less than 12 levels deep. */
export const RESERVE_NODES = 32

/** Places of the words in the description that kernels get. */
export const Description = {
  heads: 0,
  kvHeads: 1,
  format: 2,
  hasDecay: 3,
  vectorBytes: 4,
  valueBytes: 5,
  keyHeadBytes: 6,
  decaysAt: 7,
  nodeBytes: 8,
  owner: 9,
  table: 10,
  temperature: 11,
  states: 12,
  placed: 13,
  placedSlots: 14,
  places: 15,
} as const
export const DESCRIPTION_WORDS = 16

/** Places of the words in a tree's state. */
export const State = { root: 0, next: 1, end: 2, reserve: 3, reserveEnd: 4, nodes: 5 } as const
export const STATE_WORDS = 8

/** Places of the words in a report on new positions. Kind 0 means that nothing is wrong. The last two fields
 *  are f64. */
export const Report = { kind: 0, row: 1, position: 2, element: 3, value: 4, before: 6 } as const
export const REPORT_WORDS = 8
export const ReportKind = { key: 1, value: 2, reading: 3, backward: 4 } as const

/** Formats in which values are stored. */
export type ValueFormat = 'f32' | 'f16' | 'int8'
const FORMATS: { readonly [F in ValueFormat]: { code: number; bytes: number; scaleBytes: number } } = {
  f32: { code: 0, bytes: 4, scaleBytes: 0 },
  f16: { code: 1, bytes: 2, scaleBytes: 0 },
  int8: { code: 2, bytes: 1, scaleBytes: 4 },
}

export const VALUE_FORMATS = Object.keys(FORMATS) as readonly ValueFormat[]

/** Sizes of a cache that never change. */
export interface TreeSizes {
  readonly batch: number
  readonly heads: number
  readonly kvHeads: number
  readonly valueDim: number
  readonly decay: boolean
  readonly values: ValueFormat
}

export interface TreeLayout {
  readonly blockBytes: number
  readonly nodeBytes: number
  /** Bytes of one position of one kv head while positions are moved. */
  readonly copyBytes: number
  /** The words of the description that never change. */
  readonly words: readonly (readonly [word: number, value: number])[]
}

export function treeLayout({ batch, heads, kvHeads, valueDim, decay, values }: TreeSizes): TreeLayout {
  const { code, bytes, scaleBytes } = FORMATS[values]
  const padded = Math.ceil(valueDim / 4) * 4
  const vectorBytes = padded * ELEMENT_BYTES
  const valueBytes = padded * bytes
  const keyHeadBytes = BLOCK * (ELEMENT_BYTES + scaleBytes + valueBytes)
  const decaysAt = batch * kvHeads * keyHeadBytes
  const nodeBytes = NODE_HEAD_BYTES + 2 * vectorBytes + LIST_BYTES
  const readingBytes = decay ? 8 : 0
  return {
    blockBytes: decaysAt + batch * heads * BLOCK * readingBytes,
    nodeBytes,
    copyBytes: valueBytes + 8 + (heads / kvHeads) * readingBytes,
    words: [
      [Description.heads, heads],
      [Description.kvHeads, kvHeads],
      [Description.format, code],
      [Description.hasDecay, decay ? 1 : 0],
      [Description.vectorBytes, vectorBytes],
      [Description.valueBytes, valueBytes],
      [Description.keyHeadBytes, keyHeadBytes],
      [Description.decaysAt, decaysAt],
      [Description.nodeBytes, nodeBytes],
    ],
  }
}

/** Number of nodes per level, from the leaves up to one root, of a tree over `keys` ≥ 1 keys. */
export function levelCounts(keys: number): number[] {
  const counts = [Math.ceil(keys / BUILT_LEAF)]
  while (counts[counts.length - 1] > 1) counts.push(Math.ceil(counts[counts.length - 1] / BUILT_FAN))
  return counts
}
