import { Head } from './head'
import { ENTRY_BYTES, leastOf, timeOf } from './order'

// If a head's rows no longer fit the caches, the rows of each block of this many times are put into order of
// λ. Values are copied into that order. Outputs are moved into it; before, they lie in the memory that the
// copied values will take. A larger block then reads one stream, row after row, per block of this size within
// it. Otherwise it would read rows from all over the memory.
export const SORTED_BLOCK: i32 = 2048

/** Bytes of a head's sorted copies; see {@link placeSorted}. */
// @ts-ignore: decorator
@inline
export function sortedBytes(head: Head): usize {
  const queries = <usize>(head.keys - head.firstQuery)
  return (<usize>head.keys) * (head.bytes + 8) + queries * 16
}

/** Places the sorted copies at `base`. The f64 arrays come first, so that everything is aligned. */
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

/** Exchanges the rows in order of time and the rows in order of λ. */
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

/** Puts the rows of the block [from, to) into order of λ. From here on its entries hold places instead of
 *  times. */
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

/** Puts best scores and masses of the block [from, to) back into order of time. Its outputs go in that order
 *  to the beginning of head.out, which stays in the cache from block to block. Values are no longer
 *  needed. */
export function unsortRows(head: Head, from: i32, to: i32): void {
  const bytes = head.bytes
  for (let place = from; place < to; place++) {
    const time = <usize>load<i32>(head.queryTimes + ((<usize>place) << 2))
    copyRow(head.out + (time - <usize>from) * bytes, head.otherOut + <usize>place * bytes, bytes)
    store<f64>(head.best + (time << 3), load<f64>(head.otherBest + ((<usize>place) << 3)))
    store<f32>(head.mass + (time << 2), load<f32>(head.otherMass + ((<usize>place) << 2)))
  }
}

/** Copies a row of whole vectors. For so few bytes memory.copy takes longer. */
// @ts-ignore: decorator
@inline
function copyRow(target: usize, source: usize, bytes: usize): void {
  for (let c: usize = 0; c < bytes; c += 16) v128.store(target + c, v128.load(source + c))
}
