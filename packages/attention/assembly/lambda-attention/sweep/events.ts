import { exp4 } from '@tau/tensor/assembly/simd'
import { bestOf, Head, keyDecay } from './head'
import { ENTRY_BYTES, lambdaOf, largestOf, leastOf, timeOf } from './order'

// A block of time [from, middle) ∪ [middle, to): every key of its first half is seen by every query of its second half. Sorted by λ,
// the sums that queries need are running sums. With S = Σ_j e^(a_j − lead) [v_j, 1] over the keys passed so far, a_j = β λk_j + c_j and
// lead the largest a_j, a list of events tells what to do:
//   key j:    S ← decay·S + weight·[v_j, 1]    where the other of the two is 1: either j leads from now on, or it does not
//   query i:  [out, mass]_i ← decay·[out, mass]_i + weight·S    likewise: either the sum brings a better score than the best so far, or not
// Every exponent is a difference of potentials or of scores in f64 and ≤ 0, so no row loses its largest weight.

/** Bytes of an event in a list; a list of a block of n times has at most n. */
export const EVENT_BYTES: usize = 8

/** An event is the time of a key or query with these flags. */
export const QUERY: i32 = 0x80000000
/** The factor is the weight; otherwise the decay. */
const WEIGHS: i32 = 0x40000000
export const TIME: i32 = 0x3fffffff

/** Scores this much below another count as 0, as in exp4. */
export const UNDERFLOW: f64 = -87.33654

/** A list in memory: its events (i32), then their exponents, which {@link weighEvents} turns into factors (f32), each padded to four. */
@unmanaged
export class Events {
  events: usize
  factors: usize
  count: i32
  /** A 0 to read in place of a reading. */
  zero: f64
}

/** The decay reading from which on keys count for some query of [firstQuery, to): below it the decay makes every weight 0. */
export function lowestSeen(head: Head, firstQuery: i32, to: i32): f64 {
  let lowest = Infinity
  for (let i = firstQuery; i < to; i++) lowest = min(lowest, bestOf(head, i)) // a NaN stays, and then nothing is left out
  return lowest + UNDERFLOW
}

/** The part of a block that a list is made of: entries of its keys and of its queries, from `begin` to `end`. */
@unmanaged
export class Block {
  keys: usize
  keysEnd: usize
  queries: usize
  queriesEnd: usize
  /** Decay reading from which on keys count. */
  since: f64
  /** Best scores are final; otherwise a query that finds a better one takes it. */
  settled: bool
}

/** Queries and the keys below them, λ ascending. Returns whether some key equals a query. */
export function listBelow(head: Head, list: Events, block: Block): bool {
  return head.decay
    ? block.settled
      ? walk(head, list, block, true, true, true)
      : walk(head, list, block, true, true, false)
    : block.settled
      ? walk(head, list, block, true, false, true)
      : walk(head, list, block, true, false, false)
}

/** Queries and the keys above them, λ descending. */
export function listAbove(head: Head, list: Events, block: Block): void {
  if (head.decay) {
    if (block.settled) walk(head, list, block, false, true, true)
    else walk(head, list, block, false, true, false)
  } else if (block.settled) walk(head, list, block, false, false, true)
  else walk(head, list, block, false, false, false)
}

/** Merges keys and queries into events. Which of the two is next depends on the data and cannot be predicted, so that nothing here
 *  branches on it. With u = ±β λ, w = c_j of a key or the best score of a query, g = u + w − lead is what key j's potential is above
 *  lead, or what the query's best score is above the sum's: the exponent is −|g| either way. */
// @ts-ignore: decorator
@inline
function walk(head: Head, list: Events, block: Block, up: bool, hasDecay: bool, settled: bool): bool {
  const slope = f64x2.splat(up ? head.beta : -head.beta)
  const since = f64x2.splat(block.since)
  const step: usize = up ? ENTRY_BYTES : -ENTRY_BYTES
  let key = up ? block.keys : block.keysEnd - ENTRY_BYTES
  let query = up ? block.queries : block.queriesEnd - ENTRY_BYTES
  const keyStop = up ? block.keysEnd : block.keys - ENTRY_BYTES
  const queryStop = up ? block.queriesEnd : block.queries - ENTRY_BYTES
  const zero = changetype<usize>(list) + offsetof<Events>('zero')
  store<f64>(zero, 0)
  let lead = f64x2.splat(-Infinity)
  let ties: i32 = 0
  let at: usize = 0
  while (query != queryStop) {
    const nextQuery = load<u64>(query)
    const nextKey = key != keyStop ? load<u64>(key) : up ? u64.MAX_VALUE : 0
    const isKey: i32 = up ? nextKey < leastOf(nextQuery) : nextKey > largestOf(nextQuery)
    ties |= i32(leastOf(nextKey) == leastOf(nextQuery))
    const entry = select(nextKey, nextQuery, isKey)
    const time = timeOf(entry)
    const place = (<usize>time) << 3
    const own = select(hasDecay ? head.decays + place : zero, head.best + place, isKey)
    const before = v128.load64_splat(own)
    const u = f64x2.mul(slope, f64x2.splat(lambdaOf(entry)))
    const sum = f64x2.add(u, before)
    const g = f64x2.sub(sum, lead)
    const exponent = f64x2.neg(f64x2.abs(g))
    // a key weighs where it does not lead, a query where it does not find a better score
    const behind: i32 = i64x2.bitmask(f64x2.lt(g, f64x2.splat(0))) & 1
    const weighs: i32 = settled ? (isKey ^ 1) | behind : behind ^ isKey ^ 1
    const lost: i32 = i64x2.bitmask(f64x2.lt(exponent, f64x2.splat(UNDERFLOW))) & weighs
    let joins = i64x2.splat(-(<i64>isKey))
    let kept: i32 = lost ^ 1
    if (hasDecay) {
      const young = f64x2.ge(before, since)
      joins = v128.and(joins, young)
      kept &= (isKey ^ 1) | i64x2.bitmask(young)
    }
    if (!settled) {
      const better = f64x2.pmax(before, f64x2.sub(lead, u))
      v128.store64_lane(own, v128.bitselect(before, better, i64x2.splat(-(<i64>isKey))), 0)
    }
    store<i32>(list.events + at, time | ((isKey ^ 1) << 31) | (weighs << 30))
    v128.store32_lane(list.factors + at, f32x4.demote_f64x2_zero(exponent), 0)
    lead = v128.bitselect(f64x2.pmax(lead, sum), lead, joins)
    at += (<usize>(kept & 1)) << 2
    const move = select(step, 0, isKey)
    key += move
    query += step - move
  }
  list.count = <i32>(at >> 2)
  return ties != 0
}

/** Queries and the keys equal to them: a new sum for every value of λ that both have. */
export function listEqual(head: Head, list: Events, block: Block): void {
  let key = block.keys
  let lead = -Infinity
  let last: u64 = 0 // λ of the keys in the sum
  list.count = 0
  for (let query = block.queries; query < block.queriesEnd; query += ENTRY_BYTES) {
    const entry = load<u64>(query)
    if (leastOf(entry) != last) lead = -Infinity
    for (; key < block.keysEnd; key += ENTRY_BYTES) {
      const other = load<u64>(key)
      if (other > largestOf(entry)) break
      const time = timeOf(other)
      if (leastOf(other) != leastOf(entry)) continue
      const potential = head.decay ? keyDecay(head, time) : 0
      if (head.decay && potential < block.since) continue
      const more = potential - lead
      push(list, more < 0 ? time | WEIGHS : time, -abs(more))
      lead = max(lead, potential)
    }
    last = leastOf(entry)
    if (lead == -Infinity) continue
    const time = timeOf(entry)
    const more = lead - bestOf(head, time)
    const better = !block.settled && more > 0
    push(list, better ? time | QUERY : time | QUERY | WEIGHS, -abs(more))
    if (better) store<f64>(head.best + ((<usize>time) << 3), lead)
  }
}

function push(list: Events, event: i32, exponent: f64): void {
  const at = (<usize>list.count) << 2
  store<i32>(list.events + at, event)
  store<f32>(list.factors + at, <f32>exponent)
  list.count++
}

/** Exponents become factors. */
export function weighEvents(list: Events): void {
  const bytes = (<usize>((list.count + 3) & ~3)) << 2
  for (let at: usize = 0; at < bytes; at += 16) v128.store(list.factors + at, exp4(v128.load(list.factors + at)))
}

/** What an event multiplies by its factor; the other is multiplied by 1. */
// @ts-ignore: decorator
@inline
export function decayOf(event: i32, factor: f32): f32 {
  return select<f32>(1, factor, event & WEIGHS)
}

// @ts-ignore: decorator
@inline
export function weightOf(event: i32, factor: f32): f32 {
  return select<f32>(factor, 1, event & WEIGHS)
}
