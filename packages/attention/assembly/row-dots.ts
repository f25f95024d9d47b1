import { fma, loadNext, splat, storeNext } from '@tau/tensor/assembly/simd'

/** Rows of a work item. */
export const LANES: i32 = 8

/** Adds a[r, c]·b[r, c] over four columns c of four rows r to `sum`. The rows lie `o1` … `o3` bytes apart,
 *  and each has a lane of `sum`. Shuffles transpose the block, so that each row is summed in the order of its
 *  columns. `left` is the number of bytes that remain in a row. */
// @ts-ignore: decorator
@inline
function addColumns(a: usize, b: usize, o1: usize, o2: usize, o3: usize, left: usize, sum: v128): v128 {
  const a0 = loadNext(a, left)
  const a1 = loadNext(a + o1, left)
  const a2 = loadNext(a + o2, left)
  const a3 = loadNext(a + o3, left)
  const b0 = loadNext(b, left)
  const b1 = loadNext(b + o1, left)
  const b2 = loadNext(b + o2, left)
  const b3 = loadNext(b + o3, left)
  const aLow01 = i32x4.shuffle(a0, a1, 0, 4, 1, 5)
  const aLow23 = i32x4.shuffle(a2, a3, 0, 4, 1, 5)
  const bLow01 = i32x4.shuffle(b0, b1, 0, 4, 1, 5)
  const bLow23 = i32x4.shuffle(b2, b3, 0, 4, 1, 5)
  sum = fma(i64x2.shuffle(aLow01, aLow23, 0, 2), i64x2.shuffle(bLow01, bLow23, 0, 2), sum)
  sum = fma(i64x2.shuffle(aLow01, aLow23, 1, 3), i64x2.shuffle(bLow01, bLow23, 1, 3), sum)
  const aHigh01 = i32x4.shuffle(a0, a1, 2, 6, 3, 7)
  const aHigh23 = i32x4.shuffle(a2, a3, 2, 6, 3, 7)
  const bHigh01 = i32x4.shuffle(b0, b1, 2, 6, 3, 7)
  const bHigh23 = i32x4.shuffle(b2, b3, 2, 6, 3, 7)
  sum = fma(i64x2.shuffle(aHigh01, aHigh23, 0, 2), i64x2.shuffle(bHigh01, bHigh23, 0, 2), sum)
  return fma(i64x2.shuffle(aHigh01, aHigh23, 1, 3), i64x2.shuffle(bHigh01, bHigh23, 1, 3), sum)
}

/** out[r] = Σ_c a[r, c]·b[r, c] for blocks begin … end−1 of eight rows. Each row is summed in the order of
 *  its columns, as in the micro-kernel of matmul. So a query with one key has G·v − G·out = 0 exactly. */
export function rowDots(a: usize, b: usize, out: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  const row = (<usize>cols) << 2
  const stop = min(rows, end * LANES)
  let first = begin * LANES
  for (; first + LANES <= stop; first += LANES) {
    const left = a + (<usize>first) * row
    const right = b + (<usize>first) * row
    let s0 = splat(0) // two independent chains of additions
    let s1 = s0
    for (let p: usize = 0; p < row; p += 16) {
      s0 = addColumns(left + p, right + p, row, 2 * row, 3 * row, row - p, s0)
      s1 = addColumns(left + 4 * row + p, right + 4 * row + p, row, 2 * row, 3 * row, row - p, s1)
    }
    v128.store(out + ((<usize>first) << 2), s0)
    v128.store(out + ((<usize>first) << 2), s1, 16)
  }
  for (; first < stop; first += 4) {
    const last = <usize>min(3, stop - first - 1) // the last row is read in place of missing rows
    const o1 = row * min<usize>(1, last)
    const o2 = row * min<usize>(2, last)
    const o3 = row * last
    const left = a + (<usize>first) * row
    const right = b + (<usize>first) * row
    let sum = splat(0)
    for (let p: usize = 0; p < row; p += 16) sum = addColumns(left + p, right + p, o1, o2, o3, row - p, sum)
    storeNext(out + ((<usize>first) << 2), sum, (last + 1) << 2)
  }
}
