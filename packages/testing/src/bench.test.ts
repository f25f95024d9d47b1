import { describe, expect, it } from 'vitest'
import { expectSamples } from './bench.ts'

describe('expectSamples', () => {
  const squares = Float32Array.from({ length: 1009 }, (_, i) => i * i)

  it('takes a result that is right', () => {
    expect(() => expectSamples(squares, (i) => i * i, { atol: 0 })).not.toThrow()
  })

  it('looks at the first and the last element', () => {
    for (const index of [0, squares.length - 1]) {
      const wrong = squares.slice()
      wrong[index] += 1
      expect(() => expectSamples(wrong, (i) => i * i, { atol: 0.5 })).toThrow('expectNear')
    }
  })

  it('refuses a range that was not written, and an empty result', () => {
    expect(() => expectSamples(squares.slice().fill(0, 400, 440), (i) => i * i, { atol: 0.5 })).toThrow(
      'expectNear',
    )
    expect(() => expectSamples([], () => 0, { atol: 1 })).toThrow('result must have elements')
  })
})
