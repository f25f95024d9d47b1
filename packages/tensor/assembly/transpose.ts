import { copyRun } from './copy-run'
import { workspace } from './workspace'

/** Rows of the result per panel: a cache line of the source. */
const PANEL: i32 = 16
/** Source rows in the workspace at a time. */
const BLOCK: i32 = 256

/** out[o, j, i] = x[o, i, j] for the panels begin … end−1 of 16 rows j. x is [outer, a, b]; panels are
 *  counted over all outer.
 *  A panel reads whole cache lines of x. It transposes 256 rows of them in the workspace with 4×4 shuffles,
 *  and copies runs of 256 elements from there. Written directly, rows of out that are a power of two apart
 *  would evict each other from the first-level cache.
 *  Speed: 0.50 of a copy ([1024, 1536]). A panel reads one cache line of each row, so prefetchers probably do
 *  not help. */
export function transposeElements(x: usize, out: usize, a: i32, b: i32, begin: i32, end: i32): void {
  const panels = (b + PANEL - 1) / PANEL
  const rowX = (<usize>b) << 2
  const rowOut = (<usize>a) << 2
  const matrix = (<usize>a) * rowX
  const tile = workspace()
  for (let panel = begin; panel < end; panel++) {
    const offset = <usize>(panel / panels) * matrix
    const j0 = (panel % panels) * PANEL
    const count = min(PANEL, b - j0)
    const target = out + offset + (<usize>j0) * rowOut
    for (let i0 = 0; i0 < a; i0 += BLOCK) {
      const rows = min(BLOCK, a - i0)
      const source = x + offset + (<usize>i0) * rowX + ((<usize>j0) << 2)
      if (count == PANEL) turn(source, rowX, rows, PANEL, tile) // with a constant length of the inner loop
      else turn(source, rowX, rows, count, tile)
      for (let j: usize = 0; j < <usize>count; j++)
        copyRun(tile + ((j * BLOCK) << 2), target + j * rowOut + ((<usize>i0) << 2), (<usize>rows) << 2)
    }
  }
}

/** tile[j, i] = source[i, j] for i < rows, j < count. Rows of `tile` have 256 elements. */
// @ts-ignore: decorator
@inline
function turn(source: usize, rowX: usize, rows: i32, count: i32, tile: usize): void {
  const rowTile: usize = BLOCK << 2
  let i = 0
  for (; i + 4 <= rows; i += 4) {
    let j = 0
    for (; j + 4 <= count; j += 4) {
      const s = source + (<usize>i) * rowX + ((<usize>j) << 2)
      const r0 = v128.load(s)
      const r1 = v128.load(s + rowX)
      const r2 = v128.load(s + 2 * rowX)
      const r3 = v128.load(s + 3 * rowX)
      const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
      const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
      const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
      const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
      const t = tile + (<usize>j) * rowTile + ((<usize>i) << 2)
      v128.store(t, i64x2.shuffle(low01, low23, 0, 2))
      v128.store(t + rowTile, i64x2.shuffle(low01, low23, 1, 3))
      v128.store(t + 2 * rowTile, i64x2.shuffle(high01, high23, 0, 2))
      v128.store(t + 3 * rowTile, i64x2.shuffle(high01, high23, 1, 3))
    }
    for (; j < count; j++) for (let row = i; row < i + 4; row++) move(source, tile, rowX, rowTile, row, j)
  }
  for (; i < rows; i++) for (let j = 0; j < count; j++) move(source, tile, rowX, rowTile, i, j)
}

// @ts-ignore: decorator
@inline
function move(source: usize, target: usize, rowX: usize, rowOut: usize, i: i32, j: i32): void {
  const value = load<f32>(source + (<usize>i) * rowX + ((<usize>j) << 2))
  store<f32>(target + (<usize>j) * rowOut + ((<usize>i) << 2), value)
}

/** out[o, j, i, :] = x[o, i, j, :] for the output rows begin … end−1, counted over (o, j), in runs of `inner`
 *  elements. */
export function transposeRuns(x: usize, out: usize, a: i32, b: i32, inner: i32, begin: i32, end: i32): void {
  const bytes = (<usize>inner) << 2
  const rowX = (<usize>b) * bytes
  const rowOut = (<usize>a) * bytes
  for (let row = begin; row < end; row++) {
    let source = x + <usize>(row / b) * (<usize>a) * rowX + <usize>(row % b) * bytes
    let target = out + (<usize>row) * rowOut
    const stop = target + rowOut
    for (; target < stop; target += bytes, source += rowX) copyRun(source, target, bytes)
  }
}
