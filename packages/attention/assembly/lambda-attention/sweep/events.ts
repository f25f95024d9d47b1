import { exp4 } from '@tau/tensor/assembly/simd'
import { bestOf, Head, keyDecay } from './head'
import { ENTRY_BYTES, lambdaOf, largestOf, leastOf, timeOf } from './order'

// A block of time has two halves, [from, middle) and [middle, to). Every query of the second half sees every
// key of the first half. In order of λ the sums that queries need are running sums. For the keys passed so
// far let
//   S = Σ_j e^(a_j − lead) [v_j, 1], with a_j = β λk_j + c_j and lead the largest a_j.
// A list of events says what to do next:
//   key j:    S ← decay·S + weight·[v_j, 1]
//   query i:  [out, mass]_i ← decay·[out, mass]_i + weight·S
// Either decay or weight is 1. The other one is the event's factor:
// - A key that becomes the leader has weight 1. Any other key has decay 1.
// - A query has weight 1 if S brings it a better score than its best so far. Otherwise it has decay 1.
// Every exponent is a difference of potentials a_j or of scores, in f64, and at most 0. So no row loses its
// largest weight.

/** Bytes of an event in a list. The list of a block of n times has at most n events. */
export const EVENT_BYTES: usize = 8

/** An event is the time of a key or a query, with these flags. */
export const QUERY: i32 = 0x80000000
/** The event's factor is its weight; without this flag it is its decay. */
const WEIGHS: i32 = 0x40000000
export const TIME: i32 = 0x3fffffff

/** A weight counts as 0 if its score lies this far below another, as in exp4. */
export const UNDERFLOW: f64 = -87.33654

/** A list in memory: its events (i32), then their exponents. {@link weighEvents} turns the exponents into
 *  factors (f32). Both are padded to a multiple of four. */
@unmanaged
export class Events {
  events: usize
  factors: usize
  count: i32
  /** A 0 that is read in place of a decay reading. */
  zero: f64
}

/** The lowest decay reading with which a key can count for some query of [firstQuery, to). Below it the decay
 *  makes every weight 0. */
export function lowestSeen(head: Head, firstQuery: i32, to: i32): f64 {
  let lowest = Infinity
  // A NaN stays a NaN, and then no key is left out.
  for (let i = firstQuery; i < to; i++) lowest = min(lowest, bestOf(head, i))
  return lowest + UNDERFLOW
}

/** The part of a block from which a list is made: the entries of its keys and of its queries, from begin to
 *  end. */
@unmanaged
export class Block {
  keys: usize
  keysEnd: usize
  queries: usize
  queriesEnd: usize
  /** The lowest decay reading with which a key counts. */
  since: f64
  /** Whether best scores are final. If not, a query that finds a better score takes it. */
  settled: bool
}

/** Lists queries and the keys below them, with λ ascending. Returns whether some key equals a query. */
export function listBelow(head: Head, list: Events, block: Block): bool {
  return head.decay
    ? block.settled
      ? walk(head, list, block, true, true, true)
      : walk(head, list, block, true, true, false)
    : block.settled
      ? walk(head, list, block, true, false, true)
      : walk(head, list, block, true, false, false)
}

/** Lists queries and the keys above them, with λ descending. */
export function listAbove(head: Head, list: Events, block: Block): void {
  if (head.decay) {
    if (block.settled) walk(head, list, block, false, true, true)
    else walk(head, list, block, false, true, false)
  } else if (block.settled) walk(head, list, block, false, false, true)
  else walk(head, list, block, false, false, false)
}

/** Merges keys and queries into events. Nothing here branches on which of the two comes next, because that
 *  depends on the data and the processor cannot predict it. Let u = ±β λ, and let w be c_j of a key or the
 *  best score of a query. Then g = u + w − lead says how far a key's potential is above lead, or how far a
 *  query's best score is above the sum's. The exponent is −|g| in both cases. */
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
    // The factor is the weight if a key does not lead, or if a query does not find a better score.
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

/** Lists queries and the keys equal to them. Each value of λ that both have starts a new sum. */
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

/** Turns exponents into factors. */
export function weighEvents(list: Events): void {
  const bytes = (<usize>((list.count + 3) & ~3)) << 2
  for (let at: usize = 0; at < bytes; at += 16) v128.store(list.factors + at, exp4(v128.load(list.factors + at)))
}

/** The decay of an event and, below, its weight. One of them is the factor, the other is 1. */
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
