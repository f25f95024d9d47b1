import { expectNear } from '@tau/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { add, mul } from '../binary/binary.ts'
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
import { softmaxReference } from './reference.ts'
import { softmax } from './softmax.ts'

const caseOf = (rows: number, cols: number) => ({
  shapes: [[rows, cols]],
  operation: softmax,
  reference: (x: Float64Array) => softmaxReference(x, rows, cols),
  // e^{x − max} has an error of 2⁻²⁴·(|x − max| + 2), and f32 totals one of about √cols·2⁻²⁴
  tolerance: { rtol: 1e-6 + 6e-8 * Math.sqrt(cols) },
})

describeKernel('softmax', (device) => {
  it.each(LENGTHS.slice(1))('of rows of %i elements', (cols) =>
    checkForward(device(), caseOf(cols > 100 ? 2 : 7, cols)),
  )

  it.each([0, 1, 1009])('of %i rows', (rows) => checkForward(device(), caseOf(rows, 67)))

  it('has the gradient of the reference', async () => {
    for (const [rows, cols] of [
      [1, 5],
      [3, 7],
      [2, 37],
    ])
      await checkBackward(device(), { ...caseOf(rows, cols), tolerance: { atol: 2e-7, rtol: 2e-6 } })
  })

  it('has rows that sum to 1 and do not see a shift of their row', async () => {
    const cases = fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer(),
      fc.constantFrom(-512, -2, 0, 16, 4096),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ([rows, cols, seed, shift]) => {
        // multiples of 2⁻¹⁰, so that shifted numbers are exact
        const values = normal(rows * cols, seed).map((value) => Math.round(value * 1024) / 1024)
        const [y, shifted, totals] = await evaluate(device(), () => {
          const x = device().tensor(values, [rows, cols])
          const out = softmax(x)
          return [out, softmax(add(x, device().scalar(shift))), sum(out, [1])]
        })
        expect(shifted).toEqual(y)
        expectNear(totals, new Float64Array(rows).fill(1), { atol: 1e-6 })
      }),
      { seed: 17, numRuns: 30 },
    )
  })

  it('neither overflows nor divides by 0 for numbers of any size', async () => {
    const [y] = await evaluate(device(), () => [
      softmax(device().tensor([3e38, -3e38, 0, 1e4, 1e4, -Infinity, -1e30, -1e30, -1e30], [3, 3])),
    ])
    expectNear(y, [1, 0, 0, 0.5, 0.5, 0, 1 / 3, 1 / 3, 1 / 3], { rtol: 2e-7 })
  })

  it('is NaN in rows with NaN, with Infinity, or of −Infinity alone, and in no other', async () => {
    const [y] = await evaluate(device(), () => [
      softmax(device().tensor([NaN, 1, Infinity, 2, -Infinity, -Infinity, 0, 0], [4, 2])),
    ])
    expect([...y]).toEqual([NaN, NaN, NaN, NaN, NaN, NaN, 0.5, 0.5])
  })

  it('needs an axis', () => {
    using _scope = device().scope()
    expect(() => softmax(device().scalar(1))).toThrow('softmax: x must have at least 1 axes, got []')
  })
})

describe('softmax', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(1009 * 131, 1), [1009, 131])
    return [softmax(x), ...grad(() => sum(mul(softmax(x), x)), [x]).grads]
  })
})
