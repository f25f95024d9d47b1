import { describe, expect, it } from 'vitest'
import { Gate } from './gate.ts'

/** Whether a promise settles within one turn of the event loop. */
const isThrough = (passing: Promise<void>): Promise<boolean> =>
  Promise.race([
    passing.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false))),
  ])

describe('Gate', () => {
  it('lets pass while open, holds while closed, and lets all go when opened again', async () => {
    const gate = new Gate()
    expect([gate.isClosed, await isThrough(gate.pass())]).toEqual([false, true])
    gate.close()
    gate.close()
    const waiting = [gate.pass(), gate.pass()]
    expect([gate.isClosed, ...(await Promise.all(waiting.map(isThrough)))]).toEqual([true, false, false])
    gate.open()
    expect([gate.isClosed, ...(await Promise.all(waiting.map(isThrough)))]).toEqual([false, true, true])
    expect(await isThrough(gate.pass())).toBe(true)
  })
})
