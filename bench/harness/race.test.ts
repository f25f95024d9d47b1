import { describe, expect, it } from 'vitest'
import { median, p95, race, speedup, type Timing, timingOf } from './race.ts'

const timing = (label: string, samples: number[]): Timing => ({
  label,
  samples,
  ms: median(samples),
  spread: 0,
})

describe('race', () => {
  it('gives every contestant the same number of rounds, and waits for promises', async () => {
    const finished = [0, 0]
    const contestants = [
      { label: 'sync', run: () => void finished[0]++ },
      { label: 'async', run: () => Promise.resolve().then(() => void finished[1]++) },
    ]
    const timings = await race(contestants, { rounds: 7, sampleMs: 0.01, warmUpMs: 0 })
    expect(timings.map(({ label }) => label)).toEqual(['sync', 'async'])
    for (const { samples, ms, spread } of timings) {
      expect(samples.length).toBe(7)
      expect(ms).toBe(median(samples))
      expect(spread).toBeGreaterThanOrEqual(0)
    }
    for (const count of finished) expect(count).toBeGreaterThanOrEqual(8) // 7 rounds and the warm-up
  })

  it('lets an error of a contestant through', async () => {
    const broken = {
      label: 'broken',
      run: () => {
        throw new Error('broken kernel')
      },
    }
    await expect(race([broken])).rejects.toThrow('broken kernel')
  })
})

describe('speedup', () => {
  it('pairs the rounds, so that a slow spell of the machine cancels', () => {
    expect(speedup(timing('a', [1, 10, 1, 1, 10]), timing('b', [2, 20, 2, 2, 20]))).toEqual({
      ...{ value: 2, spread: 0 },
    })
  })

  it('has the spread of the rounds’ ratios', () => {
    expect(speedup(timing('a', [1, 1, 1, 1, 1]), timing('b', [5, 1, 4, 2, 3]))).toEqual({
      ...{ value: 3, spread: 1 / 3 },
    })
  })

  it('refuses timings of two races', () => {
    expect(() => speedup(timing('a', [1]), timing('b', [2, 2]))).toThrow('got 1 and 2 rounds')
  })
})

describe('median', () => {
  it('is the middle one', () => {
    expect(median([7, 1, 5])).toBe(5)
  })
})

describe('p95', () => {
  it('is the nearest sample, whatever the order', () => {
    expect(p95(Array.from({ length: 101 }, (_, i) => (i * 37) % 101))).toBe(95)
  })
})

describe('timingOf', () => {
  it('has the median, and half the distance of the quartiles over it', () => {
    expect(timingOf('a', [5, 1, 4, 2, 3])).toEqual({
      label: 'a',
      samples: [5, 1, 4, 2, 3],
      ms: 3,
      spread: 1 / 3,
    })
  })

  it('has no spread of a single sample', () => {
    expect(timingOf('a', [5])).toEqual({ label: 'a', samples: [5], ms: 5, spread: undefined })
  })
})
