import { Random } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import { histogram } from './histogram.ts'

const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)

describe('histogram', () => {
  it('counts every finite value once, in bins that cover them', () => {
    const random = new Random(3)
    const values = Array.from({ length: 997 }, () => random.gaussian())
    const { from, width, counts } = histogram([...values, Number.NaN, Number.POSITIVE_INFINITY])!
    expect(sum(counts)).toBe(997)
    expect(from).toBe(Math.min(...values))
    expect(from + width * counts.length).toBeCloseTo(Math.max(...values), 12)
    counts.slice(0, -1).forEach((count, bin) => {
      const inside = values.filter((v) => Math.floor((v - from) / width) === bin)
      expect(count).toBe(inside.length)
    })
  })

  it('has bins of 2·iqr/∛n: 1000 even values from 0 to 1 have iqr ½, so 10 bins', () => {
    const { counts } = histogram(Array.from({ length: 1000 }, (_, i) => i / 999))!
    expect(counts).toHaveLength(10)
    expect(counts).toEqual(Array(10).fill(100))
  })

  it('puts whole numbers in the middle of bins', () => {
    expect(histogram([3, 4, 4, 6])).toEqual({ from: 2.5, width: 1, counts: [1, 2, 0, 1] })
    const far = histogram([...Array(500).fill(8), 8 + 600])!
    expect([far.width, far.counts.length, sum(far.counts)]).toEqual([11, 55, 501])
  })

  it('has 60 bins at most, also where most values are equal, and one where all are', () => {
    const most = histogram([...Array(99).fill(0.5), 0.25, 100.25])!
    expect([most.counts.length, sum(most.counts)]).toEqual([60, 101])
    expect(histogram([0.5, 0.5])).toEqual({ from: 0, width: 1, counts: [2] })
    expect(histogram([])).toBeUndefined()
    expect(histogram([Number.NaN])).toBeUndefined()
  })
})
