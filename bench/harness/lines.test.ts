import { describe, expect, it } from 'vitest'
import { benchLine, itemRate, rate, timesText, timeText } from './lines.ts'
import { timingOf } from './race.ts'

const timing = timingOf('cpu-relaxed 1 thread', [2, 2, 2, 2, 2])

describe('benchLine', () => {
  it('is what the style asks for', () => {
    expect(benchLine('matmul/nn/768', timing, rate(timing, { flops: 54e6 }), ['1.97x tfjs-wasm'])).toBe(
      'matmul nn 768 cpu-relaxed 1 thread | p50 2 ms ±0% | 27 GFLOPS | 1.97x tfjs-wasm',
    )
  })
})

describe('the line of a single sample', () => {
  it('has no spread', () => {
    const once = timingOf('2 threads', [2])
    expect(benchLine('graph/x', once, rate(once, { flops: 54e6 }))).toBe(
      'graph x 2 threads | p50 2 ms | 27 GFLOPS',
    )
  })
})

describe('rates', () => {
  it('are 10⁹ bytes or operations a second', () => {
    expect(rate(timing, { bytes: 3e6 })).toEqual({ value: 1.5, unit: 'GB/s', metric: 'gb_per_s' })
    expect(rate(timing, { flops: 3e6 })).toEqual({ value: 1.5, unit: 'GFLOPS', metric: 'gflops' })
  })

  it('are items a second, called after the items', () => {
    const expected = { value: 1024_000, unit: 'tokens/s', metric: 'tokens_per_s' }
    expect(itemRate(timing, { count: 2048, unit: 'tokens' })).toEqual(expected)
  })
})

describe('numbers', () => {
  it('have three digits and no exponent', () => {
    expect([0.0471, 0.1, 12.345, 66_543.2].map(timeText)).toEqual([
      '47.1 us',
      '0.1 ms',
      '12.3 ms',
      '66543 ms',
    ])
    expect([0.000842, 1.974, 123.4].map(timesText)).toEqual(['0.000842x', '1.97x', '123x'])
  })
})
