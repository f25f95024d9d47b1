import { copyRun } from './copy-run'

/** out[o, j, i] = x[o, i, j] for the panels begin … end−1 of 16 rows j; x [outer, a, b], panels count through all outer.
 *  A panel reads whole cache lines of x and fills 16 lines of out four elements at a time, by 4×4 shuffles. */
export function transposeElements(x: usize, out: usize, a: i32, b: i32, begin: i32, end: i32): void {
  const panels = (b + 15) >> 4
  const rowX = (<usize>b) << 2
  const rowOut = (<usize>a) << 2
  const matrix = (<usize>a) * rowX
  for (let panel = begin; panel < end; panel++) {
    const offset = <usize>(panel / panels) * matrix
    const j0 = (panel % panels) << 4
    const j1 = min(b, j0 + 16)
    const source = x + offset
    const target = out + offset
    let i = 0
    for (; i + 4 <= a; i += 4) {
      let j = j0
      for (; j + 4 <= j1; j += 4) {
        const s = source + (<usize>i) * rowX + ((<usize>j) << 2)
        const r0 = v128.load(s)
        const r1 = v128.load(s + rowX)
        const r2 = v128.load(s + 2 * rowX)
        const r3 = v128.load(s + 3 * rowX)
        const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
        const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
        const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
        const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
        const t = target + (<usize>j) * rowOut + ((<usize>i) << 2)
        v128.store(t, i64x2.shuffle(low01, low23, 0, 2))
        v128.store(t + rowOut, i64x2.shuffle(low01, low23, 1, 3))
        v128.store(t + 2 * rowOut, i64x2.shuffle(high01, high23, 0, 2))
        v128.store(t + 3 * rowOut, i64x2.shuffle(high01, high23, 1, 3))
      }
      for (; j < j1; j++)
        for (let row = i; row < i + 4; row++) move(source, target, rowX, rowOut, row, j)
    }
    for (; i < a; i++) for (let j = j0; j < j1; j++) move(source, target, rowX, rowOut, i, j)
  }
}

// @ts-ignore: decorator
@inline
function move(source: usize, target: usize, rowX: usize, rowOut: usize, i: i32, j: i32): void {
  const value = load<f32>(source + (<usize>i) * rowX + ((<usize>j) << 2))
  store<f32>(target + (<usize>j) * rowOut + ((<usize>i) << 2), value)
}

/** out[o, j, i, :] = x[o, i, j, :] for the output rows begin … end−1, counted over (o, j); runs of `inner` elements. */
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
