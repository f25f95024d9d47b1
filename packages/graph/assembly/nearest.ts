import { splat } from '@tau/tensor/assembly/simd'
import { offer, SLOT } from './slots'

// A score is shift − product; smaller is nearer. A list takes only scores up to its limit, and almost all
// scores are above it. So 16 scores are compared at once, and single scores are looked at only if one of the
// 16 passes.
/** Bytes of 16 numbers. */
const RUN: usize = 64

/** A bit mask of 16 comparisons: bit i is set if the score of column i is at most the limit. */
// @ts-ignore: decorator
@inline
function passing(a: v128, b: v128, c: v128, d: v128): i32 {
  return i32x4.bitmask(a) | (i32x4.bitmask(b) << 4) | (i32x4.bitmask(c) << 8) | (i32x4.bitmask(d) << 12)
}

/** Offers the products [rows, cols] of a block to the lists of its rows. Column c has the index first + c and
 *  the score shifts[c] − product. Row r has the index skip + r, and its list does not take the column of that
 *  index. lists, limits and the rows begin … end−1 count from the first row of the block. */
export function nearestRows(
  block: usize,
  cols: i32,
  shifts: usize,
  lists: usize,
  limits: usize,
  k: i32,
  first: i32,
  skip: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << 2
  const runs = bytes & ~(RUN - 1)
  for (let row = begin; row < end; row++) {
    const products = block + <usize>row * bytes
    const list = lists + <usize>row * <usize>k * SLOT
    const own = skip + row - first
    let limit = load<f32>(limits + ((<usize>row) << 2))
    let bound = splat(limit)
    let at: usize = 0
    for (; at < runs; at += RUN) {
      const a = f32x4.le(f32x4.sub(v128.load(shifts + at), v128.load(products + at)), bound)
      const b = f32x4.le(f32x4.sub(v128.load(shifts + at, 16), v128.load(products + at, 16)), bound)
      const c = f32x4.le(f32x4.sub(v128.load(shifts + at, 32), v128.load(products + at, 32)), bound)
      const d = f32x4.le(f32x4.sub(v128.load(shifts + at, 48), v128.load(products + at, 48)), bound)
      if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
      for (let bits = passing(a, b, c, d); bits != 0; bits &= bits - 1) {
        const column = <i32>(at >> 2) + ctz(bits)
        if (column == own) continue
        const place = (<usize>column) << 2
        limit = offer(list, k, load<f32>(shifts + place) - load<f32>(products + place), first + column)
      }
      bound = splat(limit)
    }
    for (; at < bytes; at += 4) {
      const column = <i32>(at >> 2)
      const score = load<f32>(shifts + at) - load<f32>(products + at)
      if (score <= limit && column != own) limit = offer(list, k, score, first + column)
    }
    store<f32>(limits + ((<usize>row) << 2), limit)
  }
}

/** Offers the same products to the lists of the columns begin … end−1 of the block. Row r has the index first
 *  + r and the score shifts[r] − product. lists and limits start at the first column of the block. The outer
 *  loop goes over rows, because the columns of a row lie side by side in memory. */
export function nearestColumns(
  block: usize,
  rows: i32,
  cols: i32,
  shifts: usize,
  lists: usize,
  limits: usize,
  k: i32,
  first: i32,
  begin: i32,
  end: i32,
): void {
  const listBytes = <usize>k * SLOT
  const start = (<usize>begin) << 2
  const stop = (<usize>end) << 2
  const runs = start + ((stop - start) & ~(RUN - 1))
  for (let row = 0; row < rows; row++) {
    const products = block + ((<usize>row * <usize>cols) << 2)
    const shift = load<f32>(shifts + ((<usize>row) << 2))
    const from = splat(shift)
    let at = start
    for (; at < runs; at += RUN) {
      const a = f32x4.le(f32x4.sub(from, v128.load(products + at)), v128.load(limits + at))
      const b = f32x4.le(f32x4.sub(from, v128.load(products + at, 16)), v128.load(limits + at, 16))
      const c = f32x4.le(f32x4.sub(from, v128.load(products + at, 32)), v128.load(limits + at, 32))
      const d = f32x4.le(f32x4.sub(from, v128.load(products + at, 48)), v128.load(limits + at, 48))
      if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
      for (let bits = passing(a, b, c, d); bits != 0; bits &= bits - 1) {
        const place = at + ((<usize>ctz(bits)) << 2)
        const list = lists + (place >> 2) * listBytes
        store<f32>(limits + place, offer(list, k, shift - load<f32>(products + place), first + row))
      }
    }
    for (; at < stop; at += 4) {
      const score = shift - load<f32>(products + at)
      if (score <= load<f32>(limits + at))
        store<f32>(limits + at, offer(lists + (at >> 2) * listBytes, k, score, first + row))
    }
  }
}

/** Finds the columns c with shifts[c] − product ≤ limit of the row. Writes their indices to found [rows,
 *  cols] and their number to counts [rows]. The column whose index is skips[row] is left out. */
export function withinRows(
  block: usize,
  cols: i32,
  shifts: usize,
  limits: usize,
  found: usize,
  counts: usize,
  first: i32,
  skips: usize,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << 2
  const runs = bytes & ~(RUN - 1)
  for (let row = begin; row < end; row++) {
    const products = block + <usize>row * bytes
    const target = found + <usize>row * bytes
    const limit = load<f32>(limits + ((<usize>row) << 2))
    const own = load<i32>(skips + ((<usize>row) << 2)) - first
    const bound = splat(limit)
    let next = target
    let at: usize = 0
    for (; at < runs; at += RUN) {
      const a = f32x4.le(f32x4.sub(v128.load(shifts + at), v128.load(products + at)), bound)
      const b = f32x4.le(f32x4.sub(v128.load(shifts + at, 16), v128.load(products + at, 16)), bound)
      const c = f32x4.le(f32x4.sub(v128.load(shifts + at, 32), v128.load(products + at, 32)), bound)
      const d = f32x4.le(f32x4.sub(v128.load(shifts + at, 48), v128.load(products + at, 48)), bound)
      if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
      for (let bits = passing(a, b, c, d); bits != 0; bits &= bits - 1) {
        const column = <i32>(at >> 2) + ctz(bits)
        if (column == own) continue
        store<i32>(next, first + column)
        next += 4
      }
    }
    for (; at < bytes; at += 4) {
      const column = <i32>(at >> 2)
      if (load<f32>(shifts + at) - load<f32>(products + at) > limit || column == own) continue
      store<i32>(next, first + column)
      next += 4
    }
    store<i32>(counts + ((<usize>row) << 2), <i32>((next - target) >> 2))
  }
}
