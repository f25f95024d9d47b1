import { exp4, splat } from '@tau/tensor/assembly/simd'
import { bestOf, clockAt, Head, keyAt, queryAt } from './head'

// A block of time [from, middle) ∪ [middle, to): every key of its first half is seen by every query of its second half. Sorted by λ,
// the sums that queries need are running sums. With S = Σ_j e^(a_j − lead) [v_j, 1] over the keys passed so far, a_j = β λk_j + c_j and
// lead the largest a_j, a list of events tells what to do:
//   key j:    S ← decay·S + weight·[v_j, 1]    where the other of the two is 1: either j leads from now on, or it does not
//   query i:  [out, mass]_i ← decay·[out, mass]_i + weight·S    likewise: either the sum brings a better score than the best so far, or not
// Every exponent is a difference of potentials or of scores in f64 and ≤ 0, so no row loses its largest weight.

/** Bytes of an event in a list; a list of a block of n times has at most n. */
export const EVENT_BYTES: usize = 12

/** An event is the time of a key or query with these flags. */
export const QUERY: i32 = 0x80000000
/** The exponent is that of `weight`; otherwise of `decay`. */
const WEIGHS: i32 = 0x40000000
export const TIME: i32 = 0x3fffffff

/** Scores this much below another count as 0, as in exp4. */
export const UNDERFLOW: f64 = -87.33654

/** A list in memory: its events (i32), then decays (f32), then weights (f32), each padded to four. */
@unmanaged
export class Events {
  events: usize
  decays: usize
  weights: usize
  count: i32
}

// @ts-ignore: decorator
@inline
function push(list: Events, event: i32, exponent: f64): void {
  const at = (<usize>list.count) << 2
  store<i32>(list.events + at, event)
  store<f32>(list.decays + at, <f32>exponent)
  list.count++
}

/** A key joins the sum. Returns the largest potential then. */
// @ts-ignore: decorator
@inline
function pushKey(list: Events, clocked: bool, key: i32, potential: f64, lead: f64): f64 {
  const more = potential - lead
  if (clocked && more < 0) {
    if (more > UNDERFLOW) push(list, key | WEIGHS, more)
    return lead
  }
  push(list, key, -more)
  return potential
}

/** A query reads the sum, whose best score is `score`. With `settled` the query's best is final, otherwise it may be the sum's. */
// @ts-ignore: decorator
@inline
function pushQuery(head: Head, list: Events, settled: bool, query: i32, score: f64): void {
  const more = score - bestOf(head, query)
  if (settled || !(more > 0)) {
    if (!(more < UNDERFLOW)) push(list, query | QUERY | WEIGHS, more)
    return
  }
  store<f64>(head.best + ((<usize>query) << 3), score)
  push(list, query | QUERY, -more)
}

/** First key of [from, middle) that some query of [firstQuery, to) can see: not so old that the clock makes its weight 0. */
export function oldestSeen(head: Head, from: i32, middle: i32, firstQuery: i32, to: i32): i32 {
  let lowest = Infinity
  for (let i = firstQuery; i < to; i++) lowest = min(lowest, bestOf(head, i)) // a NaN stays, and then nothing is left out
  let low = from
  let high = middle
  while (low < high) {
    const key = (low + high) >> 1
    if (clockAt(head, key) - lowest < UNDERFLOW) low = key + 1
    else high = key
  }
  return low
}

/** Queries and the keys below them, λ ascending. Returns whether some key equals a query. */
export function listBelow(
  head: Head,
  list: Events,
  settled: bool,
  from: i32,
  middle: i32,
  firstQuery: i32,
  to: i32,
  oldest: i32,
): bool {
  return head.clock
    ? walkUp(head, list, true, settled, from, middle, firstQuery, to, oldest)
    : walkUp(head, list, false, settled, from, middle, firstQuery, to, oldest)
}

// @ts-ignore: decorator
@inline
function walkUp(
  head: Head,
  list: Events,
  clocked: bool,
  settled: bool,
  from: i32,
  middle: i32,
  firstQuery: i32,
  to: i32,
  oldest: i32,
): bool {
  let lead = -Infinity
  let at = from
  let ties = false
  list.count = 0
  for (let t = firstQuery; t < to; t++) {
    const query = timeAt(head.queryOrder, t)
    const x = queryAt(head, query)
    for (; at < middle; at++) {
      const key = timeAt(head.keyOrder, at)
      const k = keyAt(head, key)
      if (!(k < x)) {
        ties = ties || k == x
        break
      }
      if (clocked && key < oldest) continue
      const potential = clocked ? head.beta * k + clockAt(head, key) : head.beta * k
      lead = pushKey(list, clocked, key, potential, lead)
    }
    if (list.count) pushQuery(head, list, settled, query, lead - head.beta * x)
  }
  return ties
}

/** Queries and the keys above them, λ descending. */
export function listAbove(
  head: Head,
  list: Events,
  settled: bool,
  from: i32,
  middle: i32,
  firstQuery: i32,
  to: i32,
  oldest: i32,
): void {
  if (head.clock) walkDown(head, list, true, settled, from, middle, firstQuery, to, oldest)
  else walkDown(head, list, false, settled, from, middle, firstQuery, to, oldest)
}

// @ts-ignore: decorator
@inline
function walkDown(
  head: Head,
  list: Events,
  clocked: bool,
  settled: bool,
  from: i32,
  middle: i32,
  firstQuery: i32,
  to: i32,
  oldest: i32,
): void {
  let lead = -Infinity
  let at = middle - 1
  list.count = 0
  for (let t = to - 1; t >= firstQuery; t--) {
    const query = timeAt(head.queryOrder, t)
    const x = queryAt(head, query)
    for (; at >= from; at--) {
      const key = timeAt(head.keyOrder, at)
      const k = keyAt(head, key)
      if (!(k > x)) break
      if (clocked && key < oldest) continue
      const potential = clocked ? clockAt(head, key) - head.beta * k : -head.beta * k
      lead = pushKey(list, clocked, key, potential, lead)
    }
    if (list.count) pushQuery(head, list, settled, query, lead + head.beta * x)
  }
}

/** Queries and the keys equal to them: a new sum for every value of λ that both have. */
export function listEqual(
  head: Head,
  list: Events,
  settled: bool,
  from: i32,
  middle: i32,
  firstQuery: i32,
  to: i32,
  oldest: i32,
): void {
  const clocked = head.clock != 0
  let lead = -Infinity
  let at = from
  let last: f64 = NaN // λ of the keys in the sum
  list.count = 0
  for (let t = firstQuery; t < to; t++) {
    const query = timeAt(head.queryOrder, t)
    const x = queryAt(head, query)
    if (x != last) lead = -Infinity
    for (; at < middle; at++) {
      const key = timeAt(head.keyOrder, at)
      const k = keyAt(head, key)
      if (!(k <= x)) break
      if (k == x && (!clocked || key >= oldest))
        lead = pushKey(list, clocked, key, clocked ? clockAt(head, key) : 0, lead)
    }
    last = x
    if (lead > -Infinity) pushQuery(head, list, settled, query, lead)
  }
}

// @ts-ignore: decorator
@inline
function timeAt(order: usize, place: i32): i32 {
  return load<i32>(order + ((<usize>place) << 2))
}

/** Exponents become decays and weights. */
export function weighEvents(list: Events): void {
  const bytes = (<usize>((list.count + 3) & ~3)) << 2
  const one = splat(1)
  for (let at: usize = 0; at < bytes; at += 16) {
    const factor = exp4(v128.load(list.decays + at))
    const weighs = i32x4.ne(v128.and(v128.load(list.events + at), i32x4.splat(WEIGHS)), i32x4.splat(0))
    v128.store(list.decays + at, v128.bitselect(one, factor, weighs))
    v128.store(list.weights + at, v128.bitselect(factor, one, weighs))
  }
}
