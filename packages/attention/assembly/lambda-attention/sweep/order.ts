import { splat } from '@tau/tensor/assembly/simd'

// Keys and queries in order of λ are lists of u64 entries. The high half holds λ as an unsigned number of the
// same order, the low half holds the time. Entries are compared as integers, in one instruction; equal λ are
// ordered by time.
export const ENTRY_BYTES: usize = 8

// @ts-ignore: decorator
@inline
function entryOf(lambda: f32, time: i32): u64 {
  const bits = reinterpret<i32>(lambda + 0) // −0 is 0
  const ordered = bits ^ ((bits >> 31) | 0x80000000)
  return ((<u64>(<u32>ordered)) << 32) | (<u64>(<u32>time))
}

// @ts-ignore: decorator
@inline
export function timeOf(entry: u64): i32 {
  return <i32>entry
}

// @ts-ignore: decorator
@inline
export function lambdaOf(entry: u64): f64 {
  const ordered = <i32>(entry >> 32)
  return <f64>reinterpret<f32>(ordered ^ ((~ordered >> 31) | 0x80000000))
}

/** The least entry with the same λ and, below, the largest one. */
// @ts-ignore: decorator
@inline
export function leastOf(entry: u64): u64 {
  return entry & 0xffffffff00000000
}

// @ts-ignore: decorator
@inline
export function largestOf(entry: u64): u64 {
  return entry | 0xffffffff
}

/** Writes the entries of at most 64 numbers in `list` in order. The first number has time `first`. Ranks are
 *  counted four at a time, without a branch that depends on the data. NaN counts as ∞. `list` has room to be
 *  padded to a multiple of four. */
export function rankSort(list: usize, count: i32, first: i32, order: usize): void {
  const vectors = (count + 3) >> 2
  for (let i = count; i < vectors << 2; i++) store<f32>(list + ((<usize>i) << 2), Infinity)
  for (let i = 0; i < count; i++) {
    const own = load<f32>(list + ((<usize>i) << 2))
    const x = splat(own == own ? own : Infinity)
    const home = i >> 2
    let before = i32x4.splat(0) // minus the number of smaller numbers and of equal earlier ones
    for (let g = 0; g < vectors; g++) {
      const raw = v128.load(list + ((<usize>g) << 4))
      const y = v128.bitselect(raw, splat(Infinity), f32x4.eq(raw, raw))
      let mask: v128
      if (g < home) mask = f32x4.le(y, x)
      else if (g > home) mask = f32x4.lt(y, x)
      else {
        const earlier = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(i & 3))
        mask = v128.or(f32x4.lt(y, x), v128.and(f32x4.eq(y, x), earlier))
      }
      before = i32x4.add(before, mask)
    }
    const rank = -(
      i32x4.extract_lane(before, 0) +
      i32x4.extract_lane(before, 1) +
      i32x4.extract_lane(before, 2) +
      i32x4.extract_lane(before, 3)
    )
    store<u64>(order + (<usize>rank) * ENTRY_BYTES, entryOf(own, first + i))
  }
}

/** Merges the ordered lists [left, right) and [right, end), using `spare`. */
export function mergeOrders(left: usize, right: usize, end: usize, spare: usize): void {
  const start = left
  const leftEnd = right
  let target = spare
  while (left < leftEnd && right < end) {
    const a = load<u64>(left)
    const b = load<u64>(right)
    const takeLeft = a < b
    store<u64>(target, select(a, b, takeLeft))
    const step = (<usize>takeLeft) * ENTRY_BYTES
    left += step
    right += ENTRY_BYTES - step
    target += ENTRY_BYTES
  }
  memory.copy(target, left, leftEnd - left)
  memory.copy(target + (leftEnd - left), right, end - right)
  memory.copy(start, spare, end - start)
}
