import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { learningRate } from './schedule.ts'

describe('learningRate', () => {
  const schedule = { peak: 8, floor: 2, warmup: 4, total: 16 }

  it.for([
    // warm-up: 8·(step + 1)/4
    [0, 2],
    [1, 4],
    [3, 8],
    // cosine over 12 steps: 2 + 3·(1 + cos(π·(step − 4)/12))
    [4, 8],
    [7, 2 + 3 * (1 + Math.SQRT1_2)],
    [8, 6.5],
    [10, 5],
    [12, 3.5],
    [16, 2],
    // past the end
    [17, 2],
    [1e9, 2],
  ])('of step %i is %f', ([step, expected]) => {
    expect(learningRate(step, schedule)).toBeCloseTo(expected, 12)
  })

  it('starts at the peak without warm-up', () => {
    expect(learningRate(0, { ...schedule, warmup: 0 })).toBe(8)
    expect(learningRate(8, { ...schedule, warmup: 0 })).toBeCloseTo(5, 12)
  })

  it('stays on the way up where the run is shorter than the warm-up', () => {
    const short = { ...schedule, warmup: 20 }
    expect(learningRate(15, short)).toBeCloseTo(6.4, 12)
    // and is at the peak, then the floor, when both end together
    expect(learningRate(16, { ...schedule, warmup: 16 })).toBe(8)
    expect(learningRate(17, { ...schedule, warmup: 16 })).toBe(2)
  })

  it('rises to the peak, then falls to the floor, and never leaves them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (warmup, total, share) => {
          const made = { peak: 3, floor: 3 * share, warmup, total }
          for (let step = 0; step < total + 10; step++) {
            const [now, next] = [learningRate(step, made), learningRate(step + 1, made)]
            expect(now).toBeGreaterThan(0)
            expect(now).toBeLessThanOrEqual(3 * (1 + Number.EPSILON))
            if (step + 1 < warmup) expect(next).toBeGreaterThan(now)
            else if (step >= warmup) {
              expect(now).toBeGreaterThanOrEqual(made.floor)
              expect(next).toBeLessThanOrEqual(now)
            }
          }
        },
      ),
      { seed: 5, numRuns: 100 },
    )
  })
})
