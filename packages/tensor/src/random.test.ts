import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cpu } from './backends/cpu/cpu.ts'
import { Random } from './random.ts'

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32())

describe('Random', () => {
  it('draws the words of Philox, block after block', () => {
    // the authors' known answer for counter 0 and key 0
    expect(draw(new Random(0), 4)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
    expect(draw(new Random(0), 5)[4]).toBe(new Random(0, 0, 4).uint32())
  })

  it('repeats for one seed and stream, differs for others', () => {
    expect(draw(new Random(7), 6)).toEqual(draw(new Random(7), 6))
    expect(draw(new Random(7), 6)).not.toEqual(draw(new Random(8), 6))
    expect(draw(new Random(7), 6)).not.toEqual(draw(new Random(7, 1), 6))
    expect(draw(new Random(2 ** 40), 6)).not.toEqual(draw(new Random(0), 6))
    expect(draw(new Random(7, 0, 2 ** 40), 6)).not.toEqual(draw(new Random(7), 6))
  })

  it('resumes from its position, whatever was drawn before', () => {
    const actions = {
      uint32: (random: Random) => random.uint32(),
      float: (random: Random) => random.float(),
      integer: (random: Random) => random.integer(2 ** 31 + 1), // refuses nearly half of the words
      gaussian: (random: Random) => random.gaussian(),
    }
    const names = fc.array(fc.constantFrom(...Object.values(actions)), { maxLength: 23 })
    fc.assert(
      fc.property(fc.maxSafeNat(), names, names, (seed, before, after) => {
        const random = new Random(seed, 3)
        for (const action of before) action(random)
        const resumed = new Random(seed, 3, random.position)
        expect(after.map((action) => action(resumed))).toEqual(after.map((action) => action(random)))
        expect(resumed.position).toBe(random.position)
      }),
      { seed: 17 },
    )
  })

  it('has the moments of a standard normal', () => {
    const random = new Random(11)
    const n = 200_000
    const x = Array.from({ length: n }, () => random.gaussian())
    const moment = (k: number) => x.reduce((sum, v) => sum + v ** k, 0) / n
    // four standard errors of each moment: sqrt(1, 2, 15, 96) / sqrt(n)
    expect(Math.abs(moment(1))).toBeLessThan(4 * 0.00224)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * 0.00316)
    expect(Math.abs(moment(3))).toBeLessThan(4 * 0.00866)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * 0.0219)
    // successive numbers: their product has standard deviation 1
    const lag = x.slice(1).reduce((sum, v, i) => sum + v * x[i], 0) / n
    expect(Math.abs(lag)).toBeLessThan(4 * 0.00224)
    // 2.2750 % are above 2: standard error sqrt(0.02275 × 0.97725 / n) = 0.00033
    expect(Math.abs(x.filter((v) => v > 2).length / n - 0.02275)).toBeLessThan(4 * 0.00034)
  })

  it('draws integers of equal frequency', () => {
    const random = new Random(5)
    const counts = new Array(7).fill(0)
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++
    // standard deviation of a count: sqrt(70000 × 1/7 × 6/7) = 92.6
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(4 * 93)
  })

  it('fills tensors in order', async () => {
    const device = await cpu({ threads: 1 })
    const normal = new Random(3).normal(device, [5, 3], 0.5)
    const numbers = new Random(3)
    expect(await normal.data()).toEqual(Float32Array.from({ length: 15 }, () => 0.5 * numbers.gaussian()))
    const uniform = new Random(3).uniform(device, [2, 3], -2, 5)
    const floats = new Random(3)
    expect(await uniform.data()).toEqual(Float32Array.from({ length: 6 }, () => -2 + 7 * floats.float()))
    await device.close()
  })

  it.for<[string, () => unknown, string]>([
    [
      'a seed that is not whole',
      () => new Random(0.5),
      'seed must be a whole number from 0 to 2^53 - 1, got 0.5',
    ],
    ['a negative seed', () => new Random(-1), 'seed must be a whole number from 0 to 2^53 - 1, got -1'],
    [
      'a stream too large',
      () => new Random(0, 2 ** 32),
      'stream must be a whole number below 2^32, got 4294967296',
    ],
    [
      'a negative position',
      () => new Random(0, 0, -1),
      'position must be a whole number from 0 to 2^53 - 1, got -1',
    ],
    ['an empty range', () => new Random(0).integer(0), 'bound must be a whole number from 1 to 2^32, got 0'],
  ])('refuses %s', ([, make, message]) => {
    expect(make).toThrow(`random: ${message}`)
  })
})
