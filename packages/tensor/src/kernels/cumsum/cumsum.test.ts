import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { splitAt } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
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
import { cumsum } from './cumsum.ts'
import { cumsumReference } from './reference.ts'

const caseOf = (shape: readonly number[], axis: number) => ({
  shapes: [shape],
  operation: (x: Tensor) => cumsum(x, axis),
  reference: (x: Float64Array) => {
    const { outer, length, inner } = splitAt(shape, axis)
    return cumsumReference(x, outer, length, inner)
  },
  // f64 sums on the cpu; a gpu rounds up to 7 sums of size 20 before each is stored
  tolerance: { atol: 1e-5, rtol: 1e-6 },
})

describeKernel('cumsum', (device, name) => {
  it.each(LENGTHS.slice(0, -1))('runs over %i elements, in rows and in columns', async (n) => {
    await checkForward(device(), caseOf([n], 0))
    await checkForward(device(), caseOf([3, n], 1))
    await checkForward(device(), caseOf([7, n], 0))
    await checkForward(device(), caseOf([2, n, 5], 1))
  })

  it('runs over more columns than one panel', () => checkForward(device(), caseOf([3, 5, 2053], 1)))

  it.skipIf(!name.startsWith('cpu'))(
    'keeps a long sum in f64: 65 537 tenths, exact to one rounding',
    async () => {
      await checkForward(device(), {
        ...caseOf([65_537], 0),
        inputs: [new Float32Array(65_537).fill(0.1)],
        tolerance: { rtol: 6e-8 },
      })
    },
  )

  it('runs along any axis of any shape', async () => {
    const shapes = fc
      .array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 })
      .chain((shape) => fc.tuple(fc.constant(shape), fc.nat(shape.length - 1)))
    await fc.assert(
      fc.asyncProperty(shapes, ([shape, axis]) => checkForward(device(), caseOf(shape, axis))),
      { seed: 3, numRuns: 30 },
    )
  })

  it('has the reversed running sum as gradient', async () => {
    await checkBackward(device(), caseOf([3, 7], 1))
    await checkBackward(device(), caseOf([5, 3, 2], 1))
    const [dX] = await evaluate(device(), () => {
      const x = device().tensor(normal(7, 1))
      return grad(() => sum(cumsum(x)), [x]).grads
    })
    expect([...dX]).toEqual([7, 6, 5, 4, 3, 2, 1])
  })

  it('passes NaN and infinities on to what follows, and to nothing before', async () => {
    const [found] = await evaluate(device(), () => [cumsum(device().tensor([1, Infinity, 2, -Infinity, 3]))])
    expect([...found]).toEqual([1, Infinity, Infinity, NaN, NaN])
  })

  it('names the axes there are', () => {
    using _scope = device().scope()
    expect(() => cumsum(device().tensor([1, 2]), 1)).toThrow('cumsum: axis must be between -1 and 0, got 1')
  })
})

describe('cumsum', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(53 * 2053, 1), [53, 2053])
    return [cumsum(x, 1), cumsum(x, 0), ...grad(() => sum(cumsum(x, 0)), [x]).grads]
  })
})
