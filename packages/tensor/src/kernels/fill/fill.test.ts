import { describe, expect, it } from 'vitest'
import { describeKernel, evaluate, itHasTheSameBits, LENGTHS } from '../testing.ts'
import { fill, ones, zeros } from './fill.ts'

describeKernel('fill', (device) => {
  it.each(LENGTHS)('writes %i elements and no more', async (n) => {
    const [other, found] = await evaluate(device(), () => {
      const before = device().tensor(new Float32Array(n).fill(7))
      const filled = fill(device(), [n], -2.5)
      return [before, filled]
    })
    expect(other).toEqual(new Float32Array(n).fill(7))
    expect(found).toEqual(new Float32Array(n).fill(-2.5))
  })

  it('keeps every kind of number, −0 too', async () => {
    for (const value of [0, -0, NaN, Infinity, -Infinity, 2 ** -126, 3.4028234663852886e38]) {
      const [found] = await evaluate(device(), () => [fill(device(), [5], value)])
      expect([...found]).toEqual(Array(5).fill(value))
    }
  })

  it('makes zeros and ones of any shape', async () => {
    const [none, all] = await evaluate(device(), () => [zeros(device(), [2, 3]), ones(device(), [])])
    expect([...none, ...all]).toEqual([0, 0, 0, 0, 0, 0, 1])
  })

  it('refuses sizes that are none', () => {
    expect(() => zeros(device(), [2, -1])).toThrow(
      'empty: shape must hold whole numbers of at least 0, got [2, -1]',
    )
    expect(() => zeros(device(), [1.5])).toThrow('got [1.5]')
  })
})

describe('fill', () => {
  itHasTheSameBits((device) => [fill(device, [100_003], 0.1), zeros(device, [100_003])])
})
