import { fma, highF64, lowF64, splat } from '@tau/tensor/assembly/simd'
import { decayOf, Events, QUERY, TIME, weightOf } from './events'
import { Head } from './head'
import { fmaF64 } from './rows'

/** From this many events on, the sum of a list is kept in two parts. If λ is tied, the rounding errors of a
 *  thousand equal additions in f32 all have the same sign. They reach several 1e-6 of the sum. */
export const LONG: i32 = 1024

/** Bytes of the events whose keys are summed in f32 before that sum is added to the older part. */
const RECENT: usize = 128 << 2

/** sumValues for long lists. S is a recent part in f32 plus decayed·older. `older` is an f64 sum that changes
 *  only once per RECENT events; queries read an f32 copy of it. That is half the work of f64 throughout.
 *  `sum` holds 4·bytes. */
export function sumLongValues(head: Head, list: Events, sum: usize): void {
  const bytes = head.bytes
  const values = head.values
  const out = head.out
  const mass = head.mass
  const factors = list.factors
  const events = list.events
  const end = (<usize>list.count) << 2
  const copy = sum + bytes
  const older = copy + bytes
  memory.fill(sum, 0, 4 * bytes)
  let total: f64 = 0
  for (let at: usize = 0; at < end; ) {
    const stop = min(at + RECENT, end)
    let decayed: f64 = 1
    for (; at < stop; at += 4) {
      const event = load<i32>(events + at)
      const time = <usize>(event & TIME)
      const factor = load<f32>(factors + at)
      const decay1 = decayOf(event, factor)
      const weight1 = weightOf(event, factor)
      const decay = splat(decay1)
      const weight = splat(weight1)
      if (event & QUERY) {
        const olderWeight = splat(weight1 * <f32>decayed)
        const row = out + time * bytes
        for (let c: usize = 0; c < bytes; c += 16) {
          const here = fma(olderWeight, v128.load(copy + c), f32x4.mul(decay, v128.load(row + c)))
          v128.store(row + c, fma(weight, v128.load(sum + c), here))
        }
        const own = mass + (time << 2)
        store<f32>(own, decay1 * load<f32>(own) + weight1 * <f32>total)
      } else {
        const row = values + time * bytes
        for (let c: usize = 0; c < bytes; c += 16) {
          const value = f32x4.mul(weight, v128.load(row + c))
          v128.store(sum + c, fma(decay, v128.load(sum + c), value))
        }
        decayed *= <f64>decay1
        total = <f64>decay1 * total + <f64>weight1
      }
    }
    age(bytes, sum, copy, older, decayed)
  }
}

/** older ← decayed·older + recent; recent ← 0. */
function age(bytes: usize, recent: usize, copy: usize, older: usize, decayed: f64): void {
  const decay = f64x2.splat(decayed)
  for (let c: usize = 0; c < bytes; c += 16) {
    const fresh = v128.load(recent + c)
    const low = fmaF64(decay, v128.load(older + 2 * c), lowF64(fresh))
    const high = fmaF64(decay, v128.load(older + 2 * c, 16), highF64(fresh))
    v128.store(older + 2 * c, low)
    v128.store(older + 2 * c, high, 16)
    v128.store(copy + c, i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2))
    v128.store(recent + c, splat(0))
  }
}
