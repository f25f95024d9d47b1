import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compact, smooth, spread, thin } from './thin.ts'

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 400 })

describe('thin', () => {
  it('keeps order, both ends, the extremes, and at most the number asked for', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 4, max: 97 }), (series, most) => {
        const kept = thin(series, most)
        expect(kept.length).toBeLessThanOrEqual(most)
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b))
        if (series.length === 0) return
        expect([kept[0], kept.at(-1)]).toEqual([0, series.length - 1])
        const drawn = kept.map((i) => series[i])
        expect(Math.max(...drawn)).toBe(Math.max(...series))
        expect(Math.min(...drawn)).toBe(Math.min(...series))
      }),
      { seed: 11 },
    )
  })

  it('keeps a single spike among 10 000 values, and is not led astray by gaps', () => {
    const series = Array.from({ length: 10_007 }, (_, i) => (i % 5 === 0 ? Number.NaN : 1))
    series[6_011] = 9
    expect(thin(series, 101)).toContain(6_011)
  })
})

describe('spread', () => {
  it.each([
    [0, 5, []],
    [3, 5, [0, 1, 2]],
    [11, 3, [0, 5, 10]],
    [7, 2, [0, 6]],
  ])('of %i in %i', (length, most, expected) => {
    expect(spread(length, most)).toEqual(expected)
  })
})

describe('smooth', () => {
  it('weighs neighbours by d^distance: [a, b, c] by hand, d = 4/5', () => {
    const [first, middle, last] = smooth([10, 20, 60])
    expect(first).toBeCloseTo((10 + 0.8 * 20 + 0.64 * 60) / (1 + 0.8 + 0.64), 12)
    expect(middle).toBeCloseTo((0.8 * 10 + 20 + 0.8 * 60) / 2.6, 12)
    expect(last).toBeCloseTo((0.64 * 10 + 0.8 * 20 + 60) / 2.44, 12)
  })

  it('keeps a constant, stays inside the values, and skips what is not finite', () => {
    expect(smooth([3, Number.NaN, 3, Number.POSITIVE_INFINITY, 3])).toEqual(
      [3, 3, 3, 3, 3].map((v) => expect.closeTo(v, 12)),
    )
    fc.assert(
      fc.property(values, (series) => {
        for (const value of smooth(series)) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...series) - 1e-6)
          expect(value).toBeLessThanOrEqual(Math.max(...series) + 1e-6)
        }
      }),
      { seed: 12 },
    )
    expect(smooth([Number.NaN])[0]).toBeNaN()
  })
})

describe('compact', () => {
  it.each([
    [1.2345678, 1.2346],
    [1e-9, 1e-9],
    [Number.NaN, null],
    [Number.NEGATIVE_INFINITY, null],
  ])('%d', (value, expected) => {
    expect(compact(value)).toBe(expected)
  })
})
