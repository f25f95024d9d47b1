import { workspace } from '@tau/tensor/assembly/workspace'
import { sumNode } from './tau-cache-sums'
import { linkChild } from './tau-cache-tree'
import {
  hasDecay,
  COUNT,
  ENTRY_KEY,
  entryAt,
  format,
  group,
  INT8,
  keyAt,
  keyOf,
  LEVEL,
  NODE_OWNER,
  nodeBytes,
  openHead,
  openKeys,
  owner,
  readingAt,
  readingOf,
  scaleAt,
  slotOf,
  valueAt,
  valueBytes,
} from './tau-cache-view'

// Builds whole trees from many positions at once. It sorts the keys, moves the positions into that order, and
// then makes the levels from the leaves up.

// Radix sort with 3 digits of 11 bits.
const DIGIT_BITS: i32 = 11
const DIGITS: i32 = 1 << DIGIT_BITS
const DIGIT_PASSES: i32 = 3

/** Bytes of a pair (bits of a key, time) in the list that is sorted. */
const PAIR_BYTES: usize = 8

/** Address of one of the two lists of pairs of a kv head. After an odd number of passes the second list is
 *  the sorted one. */
// @ts-ignore: decorator
@inline
function listOf(lists: usize, row: i32, length: i32, second: i32): usize {
  return lists + <usize>(2 * row + second) * <usize>length * PAIR_BYTES
}

/** Sorts the times 0 … length−1 of kv heads begin … end−1 by (λ, time). */
export function tauCacheSort(cache: usize, lists: usize, length: i32, begin: i32, end: i32): void {
  const counts = workspace()
  const bytes = (<usize>DIGITS) << 2
  for (let row = begin; row < end; row++) {
    openKeys(cache, row)
    let from = listOf(lists, row, length, 0)
    let to = listOf(lists, row, length, 1)
    memory.fill(counts, 0, bytes * DIGIT_PASSES)
    for (let time = 0; time < length; time++) {
      const bits = orderedBits(keyOf(slotOf(time)))
      const pair = from + <usize>time * PAIR_BYTES
      store<u32>(pair, bits)
      store<u32>(pair, time, 4)
      for (let pass = 0; pass < DIGIT_PASSES; pass++) {
        const count = counts + <usize>pass * bytes + digitOf(bits, pass)
        store<u32>(count, load<u32>(count) + 1)
      }
    }
    for (let pass = 0; pass < DIGIT_PASSES; pass++) {
      const starts = counts + <usize>pass * bytes
      let start: u32 = 0
      for (let p = starts; p < starts + bytes; p += 4) {
        const count = load<u32>(p)
        store<u32>(p, start)
        start += count
      }
      for (let i = 0; i < length; i++) {
        const pair = load<u64>(from + <usize>i * PAIR_BYTES)
        const at = starts + digitOf(<u32>pair, pass)
        const place = load<u32>(at)
        store<u32>(at, place + 1)
        store<u64>(to + <usize>place * PAIR_BYTES, pair)
      }
      const done = to
      to = from
      from = done
    }
  }
}

/** Bits of a finite f32 that compare as whole numbers in the same order. −0 and 0 are equal. */
// @ts-ignore: decorator
@inline
function orderedBits(key: f32): u32 {
  const bits = reinterpret<u32>(key + 0)
  return bits ^ (<u32>(<i32>bits >> 31) | 0x80000000)
}

// @ts-ignore: decorator
@inline
function digitOf(bits: u32, pass: i32): usize {
  return (<usize>((bits >> (pass * DIGIT_BITS)) & (DIGITS - 1))) << 2
}

// @ts-ignore: decorator
@inline
function timeAt(list: usize, i: i32): u32 {
  return load<u32>(list + <usize>i * PAIR_BYTES, 4)
}

/** Copies places begin … end−1 of kv head `row`, in sorted order, to `copies`. Each field of all `length`
 *  positions lies together: values, then λ with scales, then the readings of each query head. */
export function tauCacheGather(cache: usize, lists: usize, copies: usize, length: i32, row: i32, begin: i32, end: i32): void {
  const list = listOf(lists, row, length, 1)
  openKeys(cache, row)
  const scalars = copies + <usize>length * valueBytes
  for (let i = begin; i < end; i++) {
    const slot = slotOf(timeAt(list, i))
    memory.copy(copies + <usize>i * valueBytes, valueAt(slot), valueBytes)
    store<f32>(scalars + ((<usize>i) << 3), keyOf(slot))
    if (format == INT8) store<f32>(scalars + ((<usize>i) << 3), load<f32>(scaleAt(slot)), 4)
  }
  if (!hasDecay) return
  for (let head = row * group; head < (row + 1) * group; head++) {
    openHead(cache, head)
    const readings = scalars + ((<usize>length * <usize>(1 + head - row * group)) << 3)
    for (let i = begin; i < end; i++) store<f64>(readings + ((<usize>i) << 3), readingOf(slotOf(timeAt(list, i))))
  }
}

/** Copies them back to slots begin … end−1, and writes the slot of each time to `places` [rows, length]. */
export function tauCacheArrange(
  cache: usize,
  lists: usize,
  copies: usize,
  places: usize,
  length: i32,
  row: i32,
  begin: i32,
  end: i32,
): void {
  const list = listOf(lists, row, length, 1)
  openKeys(cache, row)
  const scalars = copies + <usize>length * valueBytes
  const rowPlaces = places + ((<usize>row * <usize>length) << 2)
  for (let slot = begin; slot < end; slot++) {
    memory.copy(valueAt(slot), copies + <usize>slot * valueBytes, valueBytes)
    store<f32>(keyAt(slot), load<f32>(scalars + ((<usize>slot) << 3)))
    if (format == INT8) store<f32>(scaleAt(slot), load<f32>(scalars + ((<usize>slot) << 3), 4))
    store<u32>(rowPlaces + ((<usize>timeAt(list, slot)) << 2), slot)
  }
  if (!hasDecay) return
  for (let head = row * group; head < (row + 1) * group; head++) {
    openHead(cache, head)
    const readings = scalars + ((<usize>length * <usize>(1 + head - row * group)) << 3)
    for (let slot = begin; slot < end; slot++)
      store<f64>(readingAt(slot), load<f64>(readings + ((<usize>slot) << 3)))
  }
}

/** First element of part i if `count` elements are divided evenly into `parts`. */
// @ts-ignore: decorator
@inline
function partStart(i: i32, parts: i32, count: i32): i32 {
  return <i32>((<i64>i * <i64>count) / <i64>parts)
}

// @ts-ignore: decorator
@inline
function makeNode(node: usize, level: i32, count: i32): void {
  store<u32>(node, owner, NODE_OWNER)
  store<i32>(node, count, COUNT)
  store<i32>(node, level, LEVEL)
}

/** Makes leaves begin … end−1. Each tree has `leaves` leaves; they are the first of its `nodes` nodes from
 *  `base` on. */
export function tauCacheLeaves(
  cache: usize,
  lists: usize,
  length: i32,
  base: usize,
  nodes: i32,
  leaves: i32,
  begin: i32,
  end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const tree = item / leaves
    const i = item % leaves
    openHead(cache, tree)
    const list = listOf(lists, tree / group, length, 1)
    const node = base + <usize>(tree * nodes + i) * nodeBytes
    const first = partStart(i, leaves, length)
    const count = partStart(i + 1, leaves, length) - first
    makeNode(node, 0, count)
    for (let k = 0; k < count; k++) {
      const slot = slotOf(timeAt(list, first + k))
      store<u32>(entryAt(node, k), slot)
      store<f32>(entryAt(node, k), keyOf(slot), ENTRY_KEY)
    }
    sumNode(node)
  }
}

/** Makes nodes begin … end−1 of one level. Each tree has `count` of them. They follow the `children` nodes of
 *  the level below, which begin at node `below` of the tree. */
export function tauCacheLevel(
  cache: usize,
  base: usize,
  nodes: i32,
  below: i32,
  children: i32,
  count: i32,
  level: i32,
  begin: i32,
  end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const tree = item / count
    const i = item % count
    openHead(cache, tree)
    const start = base + <usize>(tree * nodes + below) * nodeBytes
    const node = start + <usize>(children + i) * nodeBytes
    const first = partStart(i, count, children)
    const each = partStart(i + 1, count, children) - first
    makeNode(node, level, each)
    for (let k = 0; k < each; k++) linkChild(node, k, start + <usize>(first + k) * nodeBytes)
    sumNode(node)
  }
}
