import { fma, splat } from '@tau/tensor/assembly/simd'
import { decayOf, Events, QUERY, TIME, weightOf } from './events'
import { LONG, sumLongValues } from './forward-long'
import { Head, isBroken } from './head'
import { SORTED_BLOCK, unsortRows } from './sorted'

/** Runs a list of events for the outputs. `sum` holds S, up to 4·bytes. */
export function sumValues(head: Head, list: Events, sum: usize): void {
  if (list.count > LONG) sumLongValues(head, list, sum)
  else if (head.decay) run(true, head, list, sum)
  else run(false, head, list, sum)
}

// @ts-ignore: decorator
@inline
function run(weighted: bool, head: Head, list: Events, sum: usize): void {
  const bytes = head.bytes
  const values = head.values
  const out = head.out
  const mass = head.mass
  const factors = list.factors
  const events = list.events
  const end = (<usize>list.count) << 2
  memory.fill(sum, 0, bytes)
  let total: f32 = 0
  for (let at: usize = 0; at < end; at += 4) {
    const event = load<i32>(events + at)
    const time = <usize>(event & TIME)
    const factor = load<f32>(factors + at)
    const decay1 = decayOf(event, factor)
    const weight1 = weightOf(event, factor)
    const decay = splat(decay1)
    const weight = splat(weight1)
    if (event & QUERY) {
      const row = out + time * bytes
      for (let c: usize = 0; c < bytes; c += 16) {
        const here = f32x4.mul(decay, v128.load(row + c))
        v128.store(row + c, fma(weight, v128.load(sum + c), here))
      }
      const own = mass + (time << 2)
      store<f32>(own, decay1 * load<f32>(own) + weight1 * total)
    } else {
      const row = values + time * bytes
      for (let c: usize = 0; c < bytes; c += 16) {
        const value = v128.load(row + c)
        v128.store(sum + c, fma(decay, v128.load(sum + c), weighted ? f32x4.mul(weight, value) : value))
      }
      total = decay1 * total + weight1
    }
  }
}

/** Writes out / mass for every query. Queries from the first key on that is not finite get NaN. Rows that
 *  were kept in order of λ go back to their times. */
export function finishForward(head: Head): void {
  let broken = head.keys
  for (let time = head.keys - 1; time >= 0; time--) {
    if (isBroken(head, time)) broken = time
  }
  const sorted = head.queryTimes != 0
  for (let from = 0; from < head.keys; from += SORTED_BLOCK) {
    const first = max(from, head.firstQuery)
    const to = min(head.keys, from + SORTED_BLOCK)
    if (sorted) unsortRows(head, first, to)
    for (let time = first; time < to; time++) {
      const row = (sorted ? head.otherOut : head.out) + (<usize>time) * head.bytes
      const source = sorted ? head.out + (<usize>(time - first)) * head.bytes : row
      const share = splat(time < broken ? 1 / load<f32>(head.mass + ((<usize>time) << 2)) : NaN)
      for (let c: usize = 0; c < head.bytes; c += 16) v128.store(row + c, f32x4.mul(share, v128.load(source + c)))
    }
  }
}
