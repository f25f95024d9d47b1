import { MR, NR } from '@tau/tensor/assembly/matmul-block'
import { packPanels } from '@tau/tensor/assembly/matmul-pack'
import { multiplyPanels } from '@tau/tensor/assembly/matmul-panels'

// What the attentions over all pairs share: blocks of QUERIES × KEYS scores in the workspace, and products of
// such blocks. The products use the register-blocked kernel of @tau/tensor.
/** Queries of a block, a multiple of the micro-kernel's 6 rows. */
export const QUERIES: i32 = 48
/** Keys of a block, a multiple of the micro-kernel's 8 columns. A block of scores takes 12 KiB. */
export const KEYS: i32 = 64
/** Bytes of one row of a block. */
export const BLOCK_ROW: usize = (<usize>KEYS) << 2
export const BLOCK_BYTES: usize = (<usize>QUERIES) * BLOCK_ROW
/** Bytes of a list of one number per query or key of a block, padded. */
export const LIST_BYTES: usize = 320
/** Scratch of {@link multiply}. */
export { EDGE_BYTES } from '@tau/tensor/assembly/matmul-panels'

/** Bytes of a packed operand of `lanes` rows (columns), each of `depth` elements. */
// @ts-ignore: decorator
@inline
export function panelBytes(lanes: i32, depth: i32): usize {
  return (<usize>(lanes + 8) * <usize>depth) << 2
}

/** Packs A for {@link multiply}. Element (i, k) of [rows, depth] lies at i·rowBytes + k·depthBytes. One of
 *  the two strides is 4. */
// @ts-ignore: decorator
@inline
export function packLeft(a: usize, rowBytes: usize, depthBytes: usize, rows: i32, depth: i32, target: usize): void {
  packPanels(a, rowBytes, depthBytes, rows, depth, MR, target)
}

/** Packs B for {@link multiply}. Element (k, j) of [depth, cols] lies at j·colBytes + k·depthBytes. One of
 *  the two strides is 4. */
// @ts-ignore: decorator
@inline
export function packRight(b: usize, colBytes: usize, depthBytes: usize, cols: i32, depth: i32, target: usize): void {
  packPanels(b, colBytes, depthBytes, cols, depth, NR, target)
}

/** C[rows, cols] = (C if `accumulate`) + A·B, from packed A and B. C may lie anywhere; only its elements are
 *  touched. `depth` is at least 1. */
export function multiply(
  a: usize,
  b: usize,
  c: usize,
  rowBytes: usize,
  rows: i32,
  cols: i32,
  depth: i32,
  accumulate: bool,
  edge: usize,
): void {
  multiplyPanels(a, b, accumulate ? c : 0, rowBytes, c, rowBytes, rows, cols, depth, edge)
}

/** Copies `count` numbers and pads them with zeros to a multiple of four, so that vectors may read past the
 *  end. */
export function loadList(source: usize, count: i32, target: usize): void {
  memory.copy(target, source, (<usize>count) << 2)
  memory.fill(target + ((<usize>count) << 2), 0, 12)
}

/** All bits set in the lanes before `count`, counted from 0. */
// @ts-ignore: decorator
@inline
export function lanesBefore(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count))
}

/** Multiplies a row of `cols` elements by `factor`, in place. */
export function scaleRow(row: usize, cols: i32, factor: f32): void {
  const bytes = (<usize>cols) << 2
  const vectors = bytes & ~15
  let c: usize = 0
  for (; c < vectors; c += 16) v128.store(row + c, f32x4.mul(splat4(factor), v128.load(row + c)))
  for (; c < bytes; c += 4) store<f32>(row + c, factor * load<f32>(row + c))
}

// @ts-ignore: decorator
@inline
function splat4(x: f32): v128 {
  return f32x4.splat(x)
}

/** First key of span `span`. `keys` keys are cut into `spans` spans of whole blocks. */
// @ts-ignore: decorator
@inline
export function spanStart(span: i32, spans: i32, keys: i32): i32 {
  const blocks = (keys + KEYS - 1) / KEYS
  const each = (blocks + spans - 1) / spans
  return min(keys, span * each * KEYS)
}
