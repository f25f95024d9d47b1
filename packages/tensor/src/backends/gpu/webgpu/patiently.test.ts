import { describe, expect, it } from 'vitest'
import { patiently } from './patiently.ts'

const soon = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Turns of the event loop until a promise settles, to something that asks in each of them. */
async function turnsOf(promise: Promise<unknown>): Promise<number> {
  let turns = 0
  let isDone = false
  const ask = () => {
    turns++
    if (!isDone) setImmediate(ask)
  }
  ask()
  await promise
  isDone = true
  return turns
}

describe('patiently', () => {
  it('gives what the promise gives, or its error', async () => {
    expect(await patiently(Promise.resolve(7))).toBe(7)
    await expect(patiently(Promise.reject(new Error('lost')))).rejects.toThrow('lost')
  })

  it('naps between turns of the event loop, for several waits as for one, and for none any more', async () => {
    const busy = await turnsOf(soon(200))
    expect(await turnsOf(patiently(soon(200)))).toBeLessThan(busy / 4)
    expect(await turnsOf(Promise.all([patiently(soon(100)), patiently(soon(200))]))).toBeLessThan(busy / 4)
    expect(await turnsOf(soon(200))).toBeGreaterThan(busy / 4)
  })
})
