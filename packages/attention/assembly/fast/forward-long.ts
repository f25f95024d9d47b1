import { highF64, lowF64, splat } from '@tau/tensor/assembly/simd'
import { decayOf, Events, QUERY, TIME, weightOf } from './events'
import { Head } from './head'
import { fmaF64 } from './rows'

/** Events of a list from which on its sum is kept in f64. In f32 the errors of a thousand additions of the same number are all of one
 *  sign where λ is tied, and come to several 1e-6 of the sum. */
export const LONG: i32 = 1024

/** As sumValues, for long lists: `sum` holds S in f64, 2·bytes. */
export function sumLongValues(head: Head, list: Events, sum: usize): void {
  const bytes = head.bytes
  const end = (<usize>list.count) << 2
  memory.fill(sum, 0, 2 * bytes)
  let total: f64 = 0
  for (let at: usize = 0; at < end; at += 4) {
    const event = load<i32>(list.events + at)
    const time = <usize>(event & TIME)
    const factor = load<f32>(list.factors + at)
    const decay = decayOf(event, factor)
    const weight = weightOf(event, factor)
    if (event & QUERY) {
      const row = head.out + time * bytes
      for (let c: usize = 0; c < bytes; c += 16) {
        const low = f32x4.demote_f64x2_zero(v128.load(sum + 2 * c))
        const high = f32x4.demote_f64x2_zero(v128.load(sum + 2 * c, 16))
        const share = f32x4.mul(splat(weight), i64x2.shuffle(low, high, 0, 2))
        v128.store(row + c, f32x4.add(share, f32x4.mul(splat(decay), v128.load(row + c))))
      }
      const own = head.mass + (time << 2)
      store<f32>(own, decay * load<f32>(own) + weight * <f32>total)
    } else {
      const row = head.values + time * bytes
      const decays = f64x2.splat(<f64>decay)
      const weights = f64x2.splat(<f64>weight)
      for (let c: usize = 0; c < bytes; c += 16) {
        const value = v128.load(row + c)
        const low = f64x2.mul(weights, lowF64(value))
        const high = f64x2.mul(weights, highF64(value))
        v128.store(sum + 2 * c, fmaF64(decays, v128.load(sum + 2 * c), low))
        v128.store(sum + 2 * c, fmaF64(decays, v128.load(sum + 2 * c, 16), high), 16)
      }
      total = <f64>decay * total + <f64>weight
    }
  }
}
