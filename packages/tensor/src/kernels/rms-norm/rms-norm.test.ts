import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import type { Tensor } from '../../tensor.ts'
import { mul } from '../binary/binary.ts'
import { mean } from '../reduce/mean.ts'
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
import { square } from '../unary/unary.ts'
import { rmsNormReference } from './reference.ts'
import { rmsNorm } from './rms-norm.ts'

const caseOf = (rows: number, cols: number) => ({
  shapes: [[rows, cols]],
  operation: (x: Tensor) => rmsNorm(x),
  reference: (x: Float64Array) => rmsNormReference(x, cols, 1e-6),
  tolerance: { rtol: 1e-6 }, // a mean of squares has no cancellation
})

describeKernel('rmsNorm', (device) => {
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
      await checkBackward(device(), { ...caseOf(rows, cols), tolerance: { atol: 2e-6, rtol: 2e-6 } })
  })

  it('has rows of mean square 1, whatever their scale', async () => {
    const [energies] = await evaluate(device(), () => {
      const scales = device().tensor([1e-2, 1, 1e4, 1e9], [4, 1])
      return [mean(square(rmsNorm(mul(device().tensor(normal(4 * 131, 1), [4, 131]), scales))), [1])]
    })
    expectNear(energies, [1 / (1 + 1e-2), 1, 1, 1], { rtol: 3e-3 }) // eps counts in the first row
    expectNear(energies.slice(1), [1, 1, 1], { rtol: 3e-6 })
  })

  it('refuses an eps below 0', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2])
    for (const eps of [-1e-6, NaN])
      expect(() => rmsNorm(x, eps)).toThrow(`rmsNorm: eps must be at least 0, got ${eps}`)
  })

  it('maps zeros to zeros with a finite gradient, and takes another eps', async () => {
    const [y, dX, half] = await evaluate(device(), () => {
      const x = device().tensor(new Float32Array(5))
      const { grads } = grad(() => sum(rmsNorm(x)), [x])
      return [rmsNorm(x), ...grads, rmsNorm(device().tensor([1, 1]), 3)]
    })
    expect([...y]).toEqual([0, 0, 0, 0, 0])
    expectNear(dX, [1e3, 1e3, 1e3, 1e3, 1e3], { rtol: 1e-6 })
    expectNear(half, [0.5, 0.5], { rtol: 1e-6 })
  })

  it('keeps NaN in its row', async () => {
    const [y] = await evaluate(device(), () => [rmsNorm(device().tensor([1, NaN, 2, 3, 4, 5], [2, 3]))])
    expect([...y.slice(0, 3)]).toEqual([NaN, NaN, NaN])
    expect(y.slice(3).every(Number.isFinite)).toBe(true)
  })

  it('needs an axis', () => {
    using _scope = device().scope()
    expect(() => rmsNorm(device().scalar(1))).toThrow('rmsNorm: x must have at least 1 axes, got []')
  })
})

describe('rmsNorm', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(1009 * 131, 1), [1009, 131])
    return [rmsNorm(x), ...grad(() => sum(mul(rmsNorm(x), x)), [x]).grads]
  })
})
