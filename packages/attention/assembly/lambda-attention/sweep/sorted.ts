import { Head } from './head'
import { ENTRY_BYTES, leastOf, timeOf } from './order'

// Where a head's rows no longer fit the caches, the rows of a block of this many times are put in order of λ: copies of the values, and
// outputs, which until then lie where those copies will go. Larger blocks then read as many streams as they have such blocks, row after row, instead of rows
// from all over the memory.
export const SORTED_BLOCK: i32 = 2048

/** Bytes of a head's sorted copies; see {@link placeSorted}. */
// @ts-ignore: decorator
@inline
export function sortedBytes(head: Head): usize {
  const queries = <usize>(head.keys - head.firstQuery)
  return (<usize>head.keys) * (head.bytes + 8) + queries * 16
}

/** Where they lie: f64 first, so that all of it is aligned. */
export function placeSorted(head: Head, base: usize): void {
  const keys = <usize>head.keys
  const moved = <usize>head.firstQuery
  const queries = keys - moved
  head.otherDecays = base
  head.otherBest = base + keys * 8 - moved * 8
  let next = base + (keys + queries) * 8
  head.otherValues = next
  head.otherOut = head.out
  head.out = next
  next += keys * head.bytes
  head.otherMass = next - moved * 4
  next += queries * 4
  head.queryTimes = next - moved * 4
}

/** Exchanges rows by time and rows in order. */
export function exchange(head: Head): void {
  const values = head.values
  const out = head.out
  const best = head.best
  const mass = head.mass
  const decays = head.decays
  head.values = head.otherValues
  head.out = head.otherOut
  head.best = head.otherBest
  head.mass = head.otherMass
  head.decays = head.otherDecays
  head.otherValues = values
  head.otherOut = out
  head.otherBest = best
  head.otherMass = mass
  head.otherDecays = decays
}

/** Puts the rows of the block [from, to) in order; from here on its entries hold places instead of times. */
export function sortRows(head: Head, from: i32, to: i32): void {
  const bytes = head.bytes
  const first = max(from, head.firstQuery)
  for (let place = <usize>first; place < <usize>to; place++) {
    const entry = head.queryOrder + place * ENTRY_BYTES
    const time = <usize>timeOf(load<u64>(entry))
    store<u64>(entry, leastOf(load<u64>(entry)) | <u64>place)
    store<i32>(head.queryTimes + (place << 2), <i32>time)
    copyRow(head.otherOut + place * bytes, head.out + time * bytes, bytes)
    store<f64>(head.otherBest + (place << 3), load<f64>(head.best + (time << 3)))
    store<f32>(head.otherMass + (place << 2), load<f32>(head.mass + (time << 2)))
  }
  for (let place = <usize>from; place < <usize>to; place++) {
    const entry = head.keyOrder + place * ENTRY_BYTES
    const time = <usize>timeOf(load<u64>(entry))
    store<u64>(entry, leastOf(load<u64>(entry)) | <u64>place)
    copyRow(head.otherValues + place * bytes, head.values + time * bytes, bytes)
    if (head.decay) store<f64>(head.otherDecays + (place << 3), load<f64>(head.decays + (time << 3)))
  }
}

/** Puts best scores and masses of the block [from, to) in order of time again, and its outputs in that order to the beginning of head.out,
 *  which stays in the cache from block to block. Values are not needed any more. */
export function unsortRows(head: Head, from: i32, to: i32): void {
  const bytes = head.bytes
  for (let place = from; place < to; place++) {
    const time = <usize>load<i32>(head.queryTimes + ((<usize>place) << 2))
    copyRow(head.out + (time - <usize>from) * bytes, head.otherOut + <usize>place * bytes, bytes)
    store<f64>(head.best + (time << 3), load<f64>(head.otherBest + ((<usize>place) << 3)))
    store<f32>(head.mass + (time << 2), load<f32>(head.otherMass + ((<usize>place) << 2)))
  }
}

/** A row of whole vectors; for so few bytes memory.copy takes longer. */
// @ts-ignore: decorator
@inline
function copyRow(target: usize, source: usize, bytes: usize): void {
  for (let c: usize = 0; c < bytes; c += 16) v128.store(target + c, v128.load(source + c))
}
