import { highF64, lowF64, sumLanesF64 } from '@tau/tensor/assembly/simd'
import { decayOf, Events, QUERY, TIME, weightOf } from './events'
import { Head } from './head'
import { fmaF64, ROW_BYTES } from './rows'

// Second half of the backward pass, after rows.ts. The same lists of events run backward, from the queries to
// the keys. With R = Σ_i w_ij / Z_i [G_i, e_i] over the queries that read key j, dv_j = R_G and Σ_i
// ds_ij = v_j·R_G − R_e.

/** Bytes of a key's sums in f64: Σ_i ds_ij sgn(λq_i − λk_j) and Σ_i ds_ij. */
export const COLUMN_BYTES: usize = 16

/** Adds ds to a key's sums. `sign` is sgn(λq − λk). */
// @ts-ignore: decorator
@inline
export function addToColumn(head: Head, key: i32, sign: f64, score: f64): void {
  const at = head.keySums + (<usize>key) * COLUMN_BYTES
  store<f64>(at, load<f64>(at) + sign * score)
  store<f64>(at, load<f64>(at, 8) + score, 8)
}

/** Runs a list of events backward. `sum` holds R in f64, 2·bytes. */
export function sumColumns(head: Head, list: Events, sign: f64, sum: usize): void {
  const bytes = head.bytes
  memory.fill(sum, 0, 2 * bytes)
  let total: f64 = 0
  for (let at = (<usize>list.count) << 2; at > 0; ) {
    at -= 4
    const event = load<i32>(list.events + at)
    const time = event & TIME
    const factor = load<f32>(list.factors + at)
    const weight = <f64>weightOf(event, factor)
    if (event & QUERY) {
      const row = head.grads + (<usize>time) * bytes
      const sums = head.rowSums + (<usize>time) * ROW_BYTES
      const share = weight * load<f64>(sums)
      const shares = f64x2.splat(share)
      for (let c: usize = 0; c < bytes; c += 16) {
        const grad = v128.load(row + c)
        v128.store(sum + 2 * c, fmaF64(shares, lowF64(grad), v128.load(sum + 2 * c)))
        v128.store(sum + 2 * c, fmaF64(shares, highF64(grad), v128.load(sum + 2 * c, 16)), 16)
      }
      total += share * load<f64>(sums, 8)
    } else {
      const row = head.values + (<usize>time) * bytes
      const target = head.dValues + (<usize>time) * bytes
      const decay = <f64>decayOf(event, factor)
      const decays = f64x2.splat(decay)
      const weights = f64x2.splat(weight)
      let even = f64x2.splat(0)
      let odd = even
      for (let c: usize = 0; c < bytes; c += 16) {
        const value = v128.load(row + c)
        const low = v128.load(sum + 2 * c)
        const high = v128.load(sum + 2 * c, 16)
        even = fmaF64(lowF64(value), low, even)
        odd = fmaF64(highF64(value), high, odd)
        const part = i64x2.shuffle(
          f32x4.demote_f64x2_zero(f64x2.mul(weights, low)),
          f32x4.demote_f64x2_zero(f64x2.mul(weights, high)),
          0,
          2,
        )
        v128.store(target + c, f32x4.add(v128.load(target + c), part))
        v128.store(sum + 2 * c, f64x2.mul(decays, low))
        v128.store(sum + 2 * c, f64x2.mul(decays, high), 16)
      }
      addToColumn(head, time, sign, weight * (sumLanesF64(f64x2.add(even, odd)) - total))
      total *= decay
    }
  }
}
