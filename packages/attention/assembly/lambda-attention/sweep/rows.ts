import { highF64, lowF64, sumLanesF64 } from '@tau/tensor/assembly/simd'
import { decayOf, Events, QUERY, TIME, weightOf } from './events'
import { Head } from './head'

// First half of the backward pass. It computes what every query i needs of its row. With
// w_ij = e^(score_ij − best_i), G = dOut and x_ij = G_i·v_j, it sums w [x, 1] over the keys below the query,
// equal to it and above it. These give:
// - the mass Z_i and the mean e_i = Σ_j w_ij x_ij / Z_i;
// - ρ_i = Σ_j ds_ij sgn(λq_i − λk_j), with ds_ij = w_ij (x_ij − e_i) / Z_i.
// If one key has almost all weight, x − e is a small difference of large numbers. So all sums run in f64, and
// use the same factors as columns.ts.

/** Bytes of a query's sums: (Σ w x, Σ w) below, equal and above. {@link finishRow} replaces the first two
 *  numbers by 1 / Z and e. */
export const ROW_BYTES: usize = 48
export const BELOW: usize = 0
export const EQUAL: usize = 16
export const ABOVE: usize = 32

// @ts-ignore: decorator
@inline
export function fmaF64(a: v128, b: v128, c: v128): v128 {
  return isDefined(RELAXED) ? f64x2.relaxed_madd(a, b, c) : f64x2.add(f64x2.mul(a, b), c)
}

/** Adds w and w·x to one side of a query's sums. */
// @ts-ignore: decorator
@inline
export function addToRow(head: Head, query: i32, side: usize, product: f64, mass: f64): void {
  const at = head.rowSums + (<usize>query) * ROW_BYTES + side
  store<f64>(at, load<f64>(at) + product)
  store<f64>(at, load<f64>(at, 8) + mass, 8)
}

/** Runs a list of events for the rows' sums of one side. `sum` holds S in f64, 2·bytes. */
export function sumRows(head: Head, list: Events, side: usize, sum: usize): void {
  const bytes = head.bytes
  const end = (<usize>list.count) << 2
  memory.fill(sum, 0, 2 * bytes)
  let total: f64 = 0
  for (let at: usize = 0; at < end; at += 4) {
    const event = load<i32>(list.events + at)
    const time = event & TIME
    const factor = load<f32>(list.factors + at)
    const weight = <f64>weightOf(event, factor)
    if (event & QUERY) {
      const row = head.grads + (<usize>time) * bytes
      let even = f64x2.splat(0)
      let odd = even
      for (let c: usize = 0; c < bytes; c += 16) {
        const grad = v128.load(row + c)
        even = fmaF64(lowF64(grad), v128.load(sum + 2 * c), even)
        odd = fmaF64(highF64(grad), v128.load(sum + 2 * c, 16), odd)
      }
      addToRow(head, time, side, weight * sumLanesF64(f64x2.add(even, odd)), weight * total)
    } else {
      const row = head.values + (<usize>time) * bytes
      const decay = <f64>decayOf(event, factor)
      const decays = f64x2.splat(decay)
      const weights = f64x2.splat(weight)
      for (let c: usize = 0; c < bytes; c += 16) {
        const value = v128.load(row + c)
        const low = f64x2.mul(weights, lowF64(value))
        const high = f64x2.mul(weights, highF64(value))
        v128.store(sum + 2 * c, fmaF64(decays, v128.load(sum + 2 * c), low))
        v128.store(sum + 2 * c, fmaF64(decays, v128.load(sum + 2 * c, 16), high), 16)
      }
      total = decay * total + weight
    }
  }
}

/** Turns a query's sums into 1 / Z and e, and returns ρ. All three are NaN if the row is `broken`. */
export function finishRow(head: Head, query: i32, broken: bool): f64 {
  const at = head.rowSums + (<usize>query) * ROW_BYTES
  const below = load<f64>(at, BELOW + 8)
  const above = load<f64>(at, ABOVE + 8)
  const share = broken ? NaN : 1 / (below + load<f64>(at, EQUAL + 8) + above)
  const mean = share * (load<f64>(at, BELOW) + load<f64>(at, EQUAL) + load<f64>(at, ABOVE))
  const slope = load<f64>(at, BELOW) - mean * below - (load<f64>(at, ABOVE) - mean * above)
  store<f64>(at, share)
  store<f64>(at, mean, 8)
  return share * slope
}
