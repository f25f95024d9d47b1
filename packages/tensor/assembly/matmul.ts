import { MR, NR } from './matmul-block'
import { finish, NOTHING } from './matmul-epilogue'
import { packPanels } from './matmul-pack'
import { EDGE_BYTES, multiplyPanels } from './matmul-panels'
import { workspace } from './workspace'

// Goto's scheme. A slice of B [KC, tileN] is packed once per tile and stays in the second- or third-level
// cache. A slice of A [MC, KC] stays in the second-level cache, one panel of B [KC, NR] in the first, and a
// block of C in registers.
/** Depth of a slice. A panel of 384 · 8 floats of B is 12 KiB, a quarter to a third of a first-level
 *  cache. */
const KC: i32 = 384
/** Rows of A that are packed at a time, a multiple of MR: up to 288 KiB. */
const MC: i32 = (192 / MR) * MR

const PACKED_A_BYTES: usize = (<usize>MC * KC) << 2

/** out[z] = (out[z] if `accumulate`) + A[z] · B[z], then the epilogue. All sizes are at least 1. Steps and
 *  strides are in elements: A(i, k) lies at i·aRow + k·aDepth, B(k, j) at k·bDepth + j·bCol. One step of each
 *  pair is 1. `residual` has the layout of `out`.
 *  The items are tiles of tileM × tileN elements of C. tileN ≤ 2048, so that packed B fits in the workspace.
 *  Tiles are counted down the rows of C first, then along the columns, then over the batch.
 *  Each element is summed in the order of k, starting from the value in `out` or from 0. So products over
 *  parts of k, accumulated one after the other, have the bits of one product. */
export function matmul(
  a: usize,
  b: usize,
  out: usize,
  m: i32,
  n: i32,
  k: i32,
  strideA: usize,
  strideB: usize,
  aRow: usize,
  aDepth: usize,
  bCol: usize,
  bDepth: usize,
  tileM: i32,
  tileN: i32,
  accumulate: bool,
  epilogue: i32,
  residual: usize,
  begin: i32,
  end: i32,
): void {
  const tilesM = (m + tileM - 1) / tileM
  const tilesN = (n + tileN - 1) / tileN
  for (let item = begin; item < end; item++) {
    const z: usize = item / (tilesM * tilesN)
    const tile = item % (tilesM * tilesN)
    const row = (tile % tilesM) * tileM
    const col = (tile / tilesM) * tileN
    const target: usize = ((z * <usize>m + <usize>row) * <usize>n + <usize>col) << 2
    multiplyTile(
      a + ((z * strideA + <usize>row * aRow) << 2),
      aRow << 2,
      aDepth << 2,
      b + ((z * strideB + <usize>col * bCol) << 2),
      bCol << 2,
      bDepth << 2,
      out + target,
      (<usize>n) << 2,
      min(tileM, m - row),
      min(tileN, n - col),
      k,
      accumulate,
      epilogue,
      residual + target,
    )
  }
}

/** C[rows, cols] (+)= A[rows, k] · B[k, cols], then the epilogue. Steps and rows are in bytes. */
function multiplyTile(
  a: usize,
  aRow: usize,
  aDepth: usize,
  b: usize,
  bCol: usize,
  bDepth: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  cols: i32,
  k: i32,
  accumulate: bool,
  epilogue: i32,
  residual: usize,
): void {
  const scratch = workspace()
  const packedA = scratch + EDGE_BYTES
  const packedB = packedA + PACKED_A_BYTES
  for (let k0 = 0; k0 < k; k0 += KC) {
    const depth = min(KC, k - k0)
    packPanels(b + (<usize>k0) * bDepth, bCol, bDepth, cols, depth, NR, packedB)
    for (let i0 = 0; i0 < rows; i0 += MC) {
      const height = min(MC, rows - i0)
      packPanels(a + (<usize>i0) * aRow + (<usize>k0) * aDepth, aRow, aDepth, height, depth, MR, packedA)
      const target = c + (<usize>i0) * cRow
      const from = accumulate || k0 > 0 ? target : 0
      multiplyPanels(packedA, packedB, from, cRow, target, cRow, height, cols, depth, scratch)
      if (epilogue != NOTHING && k0 + depth == k)
        finish(epilogue, target, residual + (<usize>i0) * cRow, cRow, height, cols)
    }
  }
}
