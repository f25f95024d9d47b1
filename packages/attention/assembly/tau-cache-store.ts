import { loadNext, splat } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { decodeValue, encodeValue, firstUnfit } from './tau-cache-values'
import { BLOCK, hasDecay, group, keyAt, keyOf, openHead, openKeys, readingAt, readingOf, slotOf } from './tau-cache-view'

// Copies positions into a TauCache's blocks and out of them.

// A report says what is wrong with new positions. It holds the kind, the row of heads, the position among the
// new ones and the element of the vector (i32 each); then the bad value and, if a decay decreases, the
// reading before it (f64 each).
export const REPORT_BYTES: usize = 32
export const REPORT_KIND: usize = 0
export const REPORT_ROW: usize = 4
export const REPORT_POSITION: usize = 8
export const REPORT_ELEMENT: usize = 12
export const REPORT_VALUE: usize = 16
export const REPORT_BEFORE: usize = 24
// The kinds. Kind 0 means that nothing is wrong.
export const KEY: i32 = 1
export const VALUE: i32 = 2
export const READING: i32 = 3
export const BACKWARD: i32 = 4

// @ts-ignore: decorator
@inline
function report(
  reports: usize,
  item: i32,
  kind: i32,
  row: i32,
  position: i32,
  element: i32,
  value: f64,
  before: f64,
): void {
  const at = reports + <usize>item * REPORT_BYTES
  store<i32>(at, kind, REPORT_KIND)
  store<i32>(at, row, REPORT_ROW)
  store<i32>(at, position, REPORT_POSITION)
  store<i32>(at, element, REPORT_ELEMENT)
  store<f64>(at, value, REPORT_VALUE)
  store<f64>(at, before, REPORT_BEFORE)
}

/** Copies `count` positions to the times from `start` on, for kv heads begin … end−1 with the decays of their
 *  query heads. Reports the first position that cannot be stored. Positions before it are already written
 *  then. That does no harm, because the cache ends before `start`. */
export function tauCacheStore(
  cache: usize,
  lambdaK: usize,
  v: usize,
  decay: usize,
  decayLow: usize,
  reports: usize,
  dim: i32,
  start: i32,
  count: i32,
  begin: i32,
  end: i32,
): void {
  for (let row = begin; row < end; row++) {
    openKeys(cache, row)
    report(reports, row, 0, 0, 0, 0, 0, 0)
    if (!storeKeys(row, lambdaK, v, reports, dim, start, count)) continue
    if (!hasDecay) continue
    for (let head = row * group; head < (row + 1) * group; head++) {
      openHead(cache, head)
      if (!storeReadings(row, head, decay, decayLow, reports, start, count)) break
    }
  }
}

function storeKeys(row: i32, lambdaK: usize, v: usize, reports: usize, dim: i32, start: i32, count: i32): bool {
  let source = lambdaK + <usize>row * ((<usize>count) << 2)
  let values = v + <usize>row * <usize>count * ((<usize>dim) << 2)
  for (let i = 0; i < count; i++) {
    const key = load<f32>(source)
    if (!isFinite(key)) {
      report(reports, row, KEY, row, i, 0, key, 0)
      return false
    }
    const unfit = firstUnfit(values, dim)
    if (unfit >= 0) {
      report(reports, row, VALUE, row, i, unfit, load<f32>(values + ((<usize>unfit) << 2)), 0)
      return false
    }
    const slot = slotOf(start + i)
    store<f32>(keyAt(slot), key)
    encodeValue(values, dim, slot)
    source += 4
    values += (<usize>dim) << 2
  }
  return true
}

function storeReadings(
  row: i32,
  head: i32,
  decay: usize,
  decayLow: usize,
  reports: usize,
  start: i32,
  count: i32,
): bool {
  const at = <usize>head * ((<usize>count) << 2)
  let last = start > 0 ? readingOf(slotOf(start - 1)) : -Infinity
  for (let i = 0; i < count; i++) {
    const offset = at + ((<usize>i) << 2)
    const reading = <f64>load<f32>(decay + offset) + (decayLow ? <f64>load<f32>(decayLow + offset) : 0)
    if (!isFinite(reading) || reading < last) {
      report(reports, row, isFinite(reading) ? BACKWARD : READING, head, i, 0, reading, last)
      return false
    }
    store<f64>(readingAt(slotOf(start + i)), reading)
    last = reading
  }
  return true
}

/** Copies the first `length` positions out: lambdaK [rows, length], v [rows, length, dim], and readings in
 *  two parts. An output with address 0 is skipped. Each kv head has `blocks` items, one per block. */
export function tauCacheRead(
  cache: usize,
  lambdaK: usize,
  v: usize,
  decay: usize,
  decayLow: usize,
  dim: i32,
  length: i32,
  blocks: i32,
  begin: i32,
  end: i32,
): void {
  for (let item = begin; item < end; item++) {
    const row = item / blocks
    const first = (item % blocks) * BLOCK
    const last = min(length, first + BLOCK)
    openKeys(cache, row)
    for (let time = first; time < last; time++) {
      const at = <usize>row * <usize>length + <usize>time
      const slot = slotOf(time)
      if (lambdaK) store<f32>(lambdaK + (at << 2), keyOf(slot))
      if (v) decodeValue(slot, v + at * ((<usize>dim) << 2), dim, workspace())
    }
    if (!decay || !hasDecay) continue
    for (let head = row * group; head < (row + 1) * group; head++) {
      openHead(cache, head)
      for (let time = first; time < last; time++) {
        const at = (<usize>head * <usize>length + <usize>time) << 2
        const reading = readingOf(slotOf(time))
        const high = <f32>reading
        store<f32>(decay + at, high)
        store<f32>(decayLow + at, <f32>(reading - <f64>high))
      }
    }
  }
}

/** Writes to *found the index of the first of `count` numbers that is not finite, or −1 if all are finite. It
 *  is one item. */
export function firstNotFinite(x: usize, count: i32, found: usize, begin: i32, end: i32): void {
  const bytes = (<usize>count) << 2
  let at = -1
  for (let p: usize = 0; p < bytes && at < 0; p += 16) {
    const zeros = f32x4.sub(loadNext(x + p, bytes - p), loadNext(x + p, bytes - p)) // NaN if x is not finite
    if (i32x4.all_true(f32x4.eq(zeros, splat(0)))) continue
    for (at = <i32>(p >> 2); isFinite(load<f32>(x + ((<usize>at) << 2))); ) at++
  }
  store<i32>(found, at)
}
