import { afterEach, describe, expect, it, vi } from 'vitest'
import { patiently } from './patiently.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

describe('patiently', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('gives what the promise gives, or its error', async () => {
    expect(await patiently(Promise.resolve(7))).toBe(7)
    await expect(patiently(Promise.reject(new Error('lost')))).rejects.toThrow('lost')
  })

  it('naps longer the longer it waits for the newest answer, at most 1 ms, and for none any more', async () => {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const naps: number[] = []
    vi.spyOn(Atomics, 'wait').mockImplementation((_, __, ___, ms = 0) => {
      naps.push(ms)
      return 'timed-out'
    })
    const answers: (() => void)[] = []
    const wait = () => patiently(new Promise<void>((resolve) => answers.push(resolve)))

    const first = wait()
    await turns(3)
    expect(naps).toEqual([]) // it may come at once
    now = 4
    await turns(3)
    expect(new Set(naps)).toEqual(new Set([0.2]))
    now = 4000
    await turns(3)
    expect(naps.at(-1)).toBe(1)

    const second = wait()
    naps.length = 0
    await turns(3)
    expect(naps).toEqual([])
    now = 4010
    await turns(3)
    expect(new Set(naps)).toEqual(new Set([0.5]))

    for (const answer of answers) answer()
    await Promise.all([first, second])
    await turns(2)
    naps.length = 0
    now = 5000
    await turns(5)
    expect(naps).toEqual([])
  })
})
