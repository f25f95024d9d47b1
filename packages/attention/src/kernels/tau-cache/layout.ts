import { ELEMENT_BYTES } from '@tau/tensor/kernel'
import { tauCacheStore as store, tauCacheView as view } from '../../generated/constants.ts'

// The layout of a TauCache in device memory. assembly/tau-cache-view.ts defines it and says what lies where.

/** Positions per block of data. */
export const { BLOCK } = view
/** Keys of a leaf and children of a node in a tree that is built in one go. The most are LEAF and FAN of
 *  assembly/tau-cache-view.ts; the difference leaves room for new keys. */
export const BUILT_LEAF = 32
export const BUILT_FAN = 6

export const NODE_HEAD_BYTES = view.SUMS
/** The lists of a leaf or of another node, whichever are longer. */
const LIST_BYTES = Math.max(2 * view.LEAF, 3 * view.FAN) * ELEMENT_BYTES

/** The place of a 32-bit word that lies at this offset. */
const word = (bytes: number): number => bytes / ELEMENT_BYTES

/** The most nodes that one change of a tree can need: copies or halves of the nodes on a path, and a new
 *  root. Trees stay less than 12 levels deep. */
export const RESERVE_NODES = 32

/** Places of the words in the description that kernels get. */
export const Description = {
  heads: word(view.HEADS),
  kvHeads: word(view.KV_HEADS),
  format: word(view.FORMAT),
  hasDecay: word(view.HAS_DECAY),
  vectorBytes: word(view.VECTOR_BYTES),
  valueBytes: word(view.VALUE_BYTES),
  keyHeadBytes: word(view.KEY_HEAD_BYTES),
  decaysAt: word(view.DECAYS_AT),
  nodeBytes: word(view.NODE_BYTES),
  owner: word(view.OWNER),
  table: word(view.TABLE),
  temperature: word(view.TEMPERATURE),
  states: word(view.STATES),
  placed: word(view.PLACED),
  placedSlots: word(view.PLACED_SLOTS),
  places: word(view.PLACES),
} as const
export const DESCRIPTION_WORDS = word(view.DESCRIPTION_BYTES)

/** Places of the words in a tree's state. */
export const State = {
  root: word(view.ROOT),
  reserve: word(view.RESERVE),
  reserveEnd: word(view.RESERVE_END),
  nodes: word(view.NODES),
} as const
export const STATE_WORDS = word(view.STATE_BYTES)

/** Places of the words in a report on new positions. Kind 0 means that nothing is wrong. The last two fields
 *  are f64. */
export const Report = {
  kind: word(store.REPORT_KIND),
  row: word(store.REPORT_ROW),
  position: word(store.REPORT_POSITION),
  element: word(store.REPORT_ELEMENT),
  value: word(store.REPORT_VALUE),
  before: word(store.REPORT_BEFORE),
} as const
export const REPORT_WORDS = word(store.REPORT_BYTES)
export const ReportKind = {
  key: store.KEY,
  value: store.VALUE,
  reading: store.READING,
  backward: store.BACKWARD,
} as const

/** Formats in which values are stored. */
export type ValueFormat = 'f32' | 'f16' | 'int8'
const FORMATS: { readonly [F in ValueFormat]: { code: number; bytes: number; scaleBytes: number } } = {
  f32: { code: view.F32, bytes: 4, scaleBytes: 0 },
  f16: { code: view.F16, bytes: 2, scaleBytes: 0 },
  int8: { code: view.INT8, bytes: 1, scaleBytes: 4 },
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
