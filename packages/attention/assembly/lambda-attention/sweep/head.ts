/** The record of the query head that is being computed, in scratch memory. Addresses of the queries' rows are
 *  moved back by the time of the first query. So the rows of keys and of queries are both found by their
 *  time. */
@unmanaged
export class Head {
  /** λ of queries and of keys, f32. */
  lambdaQ: usize
  lambdaK: usize
  /** Rows of `bytes` bytes. */
  values: usize
  /** Decay readings in two f32 parts. 0: none. */
  decay: usize
  decayLow: usize
  /** The sums of both parts, f64. */
  decays: usize
  /** 1 / temperature */
  beta: f64
  /** Bytes of a row, a multiple of 16. */
  bytes: usize
  keys: i32
  /** Time of the first query. */
  firstQuery: i32
  /** Entries in order of λ within every finished block. See order.ts. */
  keyOrder: usize
  queryOrder: usize
  /** Scratch for one merge. */
  spare: usize
  /** The best score of every query, f64: max_j −β |λq − λk_j| + c_j. f64 keeps the digits that an exponent
   *  needs, even for large decays and large β. */
  best: usize
  /** Σ_j e^(score_j − best) of every query, f32. */
  mass: usize
  /** Σ_j e^(score_j − best) v_j of every query, rows of `bytes` bytes. */
  out: usize
  /** Copies in order of λ, or the originals while the two are exchanged. See sorted.ts. queryTimes 0: there
   *  are none. */
  otherValues: usize
  otherOut: usize
  otherBest: usize
  otherMass: usize
  otherDecays: usize
  queryTimes: usize
  /** Rows of dOut. */
  grads: usize
  /** Rows of dV. */
  dValues: usize
  /** Sums per query of the backward pass; see rows.ts. */
  rowSums: usize
  /** Sums per key of the backward pass; see columns.ts. */
  keySums: usize
}

// @ts-ignore: decorator
@inline
export function queryAt(head: Head, time: i32): f64 {
  return <f64>load<f32>(head.lambdaQ + ((<usize>time) << 2))
}

// @ts-ignore: decorator
@inline
export function keyAt(head: Head, time: i32): f64 {
  return <f64>load<f32>(head.lambdaK + ((<usize>time) << 2))
}

/** A decay reading: both parts, added in f64. */
// @ts-ignore: decorator
@inline
export function decayAt(head: Head, time: i32): f64 {
  const at = (<usize>time) << 2
  const high = <f64>load<f32>(head.decay + at)
  return head.decayLow ? high + <f64>load<f32>(head.decayLow + at) : high
}

/** The same, read from `decays`. It is there once the key's leaf is sorted. */
// @ts-ignore: decorator
@inline
export function keyDecay(head: Head, time: i32): f64 {
  return load<f64>(head.decays + ((<usize>time) << 3))
}

// @ts-ignore: decorator
@inline
export function bestOf(head: Head, query: i32): f64 {
  return load<f64>(head.best + ((<usize>query) << 3))
}

/** Whether a key's λ or decay reading is NaN or infinite. Potentials computed from it cannot be compared. So
 *  no row from this time on has a result, and each pass writes NaN to such rows when it finishes. */
export function isBroken(head: Head, time: i32): bool {
  const key = keyAt(head, time)
  if (key - key != 0) return true
  if (!head.decay) return false
  const reading = decayAt(head, time)
  return reading - reading != 0
}
