import { fma, splat } from '@tau/tensor/assembly/simd'
import { Events, QUERY, TIME } from './events'
import { Head, keyAt } from './head'

/** Runs a list of events for the outputs: `sum` holds S, a row of `head.bytes` bytes. */
export function sumValues(head: Head, list: Events, sum: usize): void {
  if (head.clock) run(true, head, list, sum)
  else run(false, head, list, sum)
}

// @ts-ignore: decorator
@inline
function run(weighted: bool, head: Head, list: Events, sum: usize): void {
  const bytes = head.bytes
  const values = head.values
  const out = head.out
  const mass = head.mass
  const decays = list.decays
  const weights = list.weights
  const events = list.events
  const end = (<usize>list.count) << 2
  memory.fill(sum, 0, bytes)
  let total: f32 = 0
  for (let at: usize = 0; at < end; at += 4) {
    const event = load<i32>(events + at)
    const time = <usize>(event & TIME)
    const decay = v128.load32_splat(decays + at)
    const weight = v128.load32_splat(weights + at)
    const decay1 = load<f32>(decays + at)
    const weight1 = load<f32>(weights + at)
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

/** out / mass for every query; NaN from the first key on that is not finite, as the definition has it. */
export function finishForward(head: Head): void {
  let broken = false
  for (let time = 0; time < head.keys; time++) {
    const key = keyAt(head, time)
    if (key - key != 0) broken = true
    if (time < head.firstQuery) continue
    const row = head.out + (<usize>time) * head.bytes
    const share = splat(broken ? NaN : 1 / load<f32>(head.mass + ((<usize>time) << 2)))
    for (let c: usize = 0; c < head.bytes; c += 16) v128.store(row + c, f32x4.mul(share, v128.load(row + c)))
  }
}
