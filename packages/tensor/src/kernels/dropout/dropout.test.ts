import { describe, expect, it } from 'vitest'
import { checkpoint } from '../../autodiff/checkpoint.ts'
import { grad } from '../../autodiff/tape.ts'
import { philox4x32 } from '../../philox.ts'
import { sum } from '../reduce/reduce.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  itHasTheSameBits,
  LENGTHS,
  normal,
} from '../testing.ts'
import { dropout } from './dropout.ts'

const SEED = 2 ** 45 + 11 // a key of two words
const KEY = [11, 2 ** 13] as const

/** The operation in f64, by one call of philox per element. */
const reference = (x: Float64Array, rate: number, step: number, stream: number): Float64Array =>
  x.map((value, i) => {
    const words = philox4x32([Math.floor(i / 4), step, stream, 1], KEY)
    return words[i % 4] < rate * 2 ** 32 ? 0 : value / (1 - rate)
  })

describeKernel('dropout', (device) => {
  it.each([0, 0.1, 0.5, 0.999])('drops what philox says, at every length, rate %d', async (rate) => {
    for (const n of LENGTHS)
      await checkForward(device(), {
        shapes: [[n]],
        operation: (x) => dropout(x, rate, { seed: SEED, step: 2 ** 32 - 1, stream: 7 }),
        reference: (x) => reference(x, rate, 2 ** 32 - 1, 7),
        tolerance: { rtol: 2e-7 },
      })
  })

  it('has the gradient of its mask', () =>
    checkBackward(device(), {
      shapes: [[7, 5]],
      operation: (x) => dropout(x, 0.25, { seed: SEED, step: 3 }),
      reference: (x) => reference(x, 0.25, 3, 0),
      tolerance: { rtol: 1e-6 },
    }))

  it('gives the same gradient inside a checkpoint', async () => {
    const [plain, again] = await evaluate(device(), () => {
      const x = device().tensor(normal(61, 1))
      const f = () => dropout(x, 0.5, { seed: 1, step: 2 })
      const [direct] = grad(() => sum(f()), [x]).grads
      const [recomputed] = grad(() => sum(checkpoint(f, [x])), [x]).grads
      return [direct, recomputed]
    })
    expect(again).toEqual(plain)
  })

  it('keeps the mean, and draws another mask for each seed, step and stream', async () => {
    const n = 40_000
    const draws = [
      { seed: 1, step: 1 },
      { seed: 2, step: 1 },
      { seed: 1, step: 2 },
      { seed: 1, step: 1, stream: 1 },
      { seed: 1, step: 1 },
    ]
    const found = await evaluate(device(), () => {
      const x = device().tensor(new Float32Array(n).fill(1))
      return draws.map((draw) => dropout(x, 0.3, draw))
    })
    for (const values of found) {
      const kept = values.filter((value) => value !== 0).length
      expect(Math.abs(kept - 0.7 * n)).toBeLessThan(5 * Math.sqrt(n * 0.3 * 0.7))
    }
    expect(found[4]).toEqual(found[0])
    for (const other of found.slice(1, 4)) expect(other).not.toEqual(found[0])
  })

  it('drops NaN and infinities without a trace', async () => {
    const [found] = await evaluate(device(), () => [
      dropout(device().tensor(new Float32Array(64).fill(NaN)), 0.5, { seed: 1, step: 1 }),
    ])
    expect(new Set(found)).toEqual(new Set([0, NaN]))
  })

  it('refuses rates and counters out of range', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2])
    expect(() => dropout(x, 1, { seed: 1, step: 1 })).toThrow('rate must be at least 0 and below 1, got 1')
    expect(() => dropout(x, 0.1, { seed: -1, step: 1 })).toThrow('dropout: seed must be a whole number')
    expect(() => dropout(x, 0.1, { seed: 1, step: 0.5 })).toThrow('dropout: step must be a whole number')
    expect(() => dropout(x, 0.1, { seed: 1, step: 1, stream: 2 ** 32 })).toThrow('got 4294967296')
    expect(() => Reflect.apply(dropout, undefined, [x, 0.1])).toThrow(
      'write dropout(x, rate, { seed, step })',
    )
  })
})

describe('dropout', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(100_003, 1))
    return [dropout(x, 0.1, { seed: SEED, step: 5 })]
  })
})
