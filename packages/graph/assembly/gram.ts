import { MR, NR } from '@tau/tensor/assembly/matmul-block'
import { packPanels } from '@tau/tensor/assembly/matmul-pack'
import { EDGE_BYTES, multiplyPanels } from '@tau/tensor/assembly/matmul-panels'
import { workspace } from '@tau/tensor/assembly/workspace'

// Gram matrices of chunks of rows, in f32. Only the part at and below the diagonal is computed, which is half
// of the work of a product. A tile on the diagonal is done in stripes. Each stripe is only as wide as the
// diagonal requires.
/** Rows and columns of a tile, a multiple of MR and NR of every build. */
export const TILE: i32 = 480
/** Rows of A that are packed at a time: the height of a stripe on the diagonal, a multiple of MR. */
const STRIPE: i32 = (48 / MR) * MR
/** Depth of a slice, as in matmul. */
const KC: i32 = 384

/** partials[z] = xᵀ·x over the rows of chunk z, [cols, cols] each; x is [rows, cols] in f32. An element above
 *  the diagonal keeps its old value or gets the right one. Items: tiles at and below the diagonal, row by
 *  row, for every chunk. */
export function gramTiles(
  x: usize,
  partials: usize,
  rows: i32,
  cols: i32,
  chunk: i32,
  begin: i32,
  end: i32,
): void {
  const across = (cols + TILE - 1) / TILE
  const tiles = (across * (across + 1)) / 2
  const rowBytes = (<usize>cols) << 2
  for (let item = begin; item < end; item++) {
    const z = item / tiles
    let col = item % tiles
    let row = 0
    while (col > row) col -= ++row
    const first = z * chunk
    const out = partials + ((<usize>z * <usize>cols * <usize>cols) << 2)
    tile(
      x + <usize>first * rowBytes,
      rowBytes,
      min(chunk, rows - first),
      row * TILE,
      min(TILE, cols - row * TILE),
      col * TILE,
      min(TILE, cols - col * TILE),
      out,
    )
  }
}

function tile(
  x: usize,
  rowBytes: usize,
  depth: i32,
  row: i32,
  height: i32,
  col: i32,
  width: i32,
  out: usize,
): void {
  const scratch = workspace()
  const packedA = scratch + EDGE_BYTES
  const packedB = packedA + ((<usize>STRIPE * KC) << 2)
  for (let k0 = 0; k0 < depth; k0 += KC) {
    const slice = min(KC, depth - k0)
    const from = x + <usize>k0 * rowBytes
    packPanels(from + ((<usize>col) << 2), 4, rowBytes, width, slice, NR, packedB)
    for (let i = 0; i < height; i += STRIPE) {
      const stripe = min(STRIPE, height - i)
      packPanels(from + ((<usize>(row + i)) << 2), 4, rowBytes, stripe, slice, MR, packedA)
      const target = out + <usize>(row + i) * rowBytes + ((<usize>col) << 2)
      const wide = row == col ? min(width, i + stripe) : width
      multiplyPanels(packedA, packedB, k0 > 0 ? target : 0, rowBytes, target, rowBytes, stripe, wide, slice, scratch)
    }
  }
}

/** total += Σ partials at and below the diagonal, one partial after the other, in f64. total is [cols, cols]
 *  in f64; the `count` partials are in f32. Items: rows of total. */
export function gramAdd(partials: usize, total: usize, cols: i32, count: i32, begin: i32, end: i32): void {
  const partialBytes = (<usize>cols * <usize>cols) << 2
  for (let i = begin; i < end; i++) {
    const row = <usize>i * <usize>cols
    let j: usize = 0
    for (; j + 4 <= <usize>i + 1; j += 4) {
      const sum = total + ((row + j) << 3)
      let low = v128.load(sum)
      let high = v128.load(sum, 16)
      let from = partials + ((row + j) << 2)
      for (let z = 0; z < count; z++) {
        low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(from)))
        high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(from, 8)))
        from += partialBytes
      }
      v128.store(sum, low)
      v128.store(sum, high, 16)
    }
    for (; j <= <usize>i; j++) {
      const at = total + ((row + j) << 3)
      let sum = load<f64>(at)
      let from = partials + ((row + j) << 2)
      for (let z = 0; z < count; z++) {
        sum += <f64>load<f32>(from)
        from += partialBytes
      }
      store<f64>(at, sum)
    }
  }
}

/** x ← (x − shift)·scale in f32, and sums[z] = Σ of the new rows of chunk z, [cols] each in f64. x is [rows,
 *  cols], shift is [cols]. Items: chunks. */
export function gramShift(
  x: usize,
  shift: usize,
  sums: usize,
  rows: i32,
  cols: i32,
  chunk: i32,
  scale: f32,
  begin: i32,
  end: i32,
): void {
  const rowBytes = (<usize>cols) << 2
  const factor = f32x4.splat(scale)
  for (let z = begin; z < end; z++) {
    const sum = sums + <usize>z * (rowBytes << 1)
    memory.fill(sum, 0, rowBytes << 1)
    let row = x + <usize>(z * chunk) * rowBytes
    for (let n = min(chunk, rows - z * chunk); n > 0; n--) {
      let j: usize = 0
      for (; j + 16 <= rowBytes; j += 16) {
        const value = f32x4.mul(f32x4.sub(v128.load(row + j), v128.load(shift + j)), factor)
        v128.store(row + j, value)
        const at = sum + (j << 1)
        v128.store(at, f64x2.add(v128.load(at), f64x2.promote_low_f32x4(value)))
        const upper = i8x16.shuffle(value, value, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)
        v128.store(at, f64x2.add(v128.load(at, 16), f64x2.promote_low_f32x4(upper)), 16)
      }
      for (; j < rowBytes; j += 4) {
        const value: f32 = (load<f32>(row + j) - load<f32>(shift + j)) * scale
        store<f32>(row + j, value)
        const at = sum + (j << 1)
        store<f64>(at, load<f64>(at) + <f64>value)
      }
      row += rowBytes
    }
  }
}
