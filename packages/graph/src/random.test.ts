import { describe, expect, it } from 'vitest'
import { philox4x32, portableLog, Random } from './random.ts'

const hex = (words: Uint32Array) => [...words].map((w) => w.toString(16).padStart(8, '0')).join(' ')

describe('random', () => {
  // known answers of the authors' Random123 distribution
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[-1, -1, -1, -1], [-1, -1], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('philox of %j under %j', (counter, key, expected) => {
    expect(hex(philox4x32(counter, key))).toBe(expected)
  })

  it('takes logarithms to within 2 units in the last place', () => {
    for (const x of [1e-17, 1e-9, 0.1, 0.5, 0.62, 0.9999, 1, 1.0001, Math.SQRT2, 3, 1e9]) {
      expect(Math.abs(portableLog(x) - Math.log(x))).toBeLessThanOrEqual(
        2 ** -51 * Math.max(1e-3, Math.abs(Math.log(x))),
      )
    }
  })

  it('repeats for one seed and stream, differs for others', () => {
    const draw = (seed: number, stream = 0) => {
      const random = new Random(seed, stream)
      return Array.from({ length: 6 }, () => random.uint32())
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(draw(7)).not.toEqual(draw(7, 1))
    expect(draw(2 ** 40)).not.toEqual(draw(0))
  })

  it('has the moments of a standard normal', () => {
    const random = new Random(11)
    const n = 200_000
    const x = Array.from({ length: n }, () => random.normal())
    const moment = (k: number) => x.reduce((sum, v) => sum + v ** k, 0) / n
    // four standard errors of each moment: sqrt(1, 2, 15, 96) / sqrt(n)
    expect(Math.abs(moment(1))).toBeLessThan(4 * 0.00224)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * 0.00316)
    expect(Math.abs(moment(3))).toBeLessThan(4 * 0.00866)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * 0.0219)
  })

  it('refuses a seed that is no integer', () => {
    expect(() => new Random(0.5)).toThrow('got 0.5')
    expect(() => new Random(-1)).toThrow('got -1')
  })
})
