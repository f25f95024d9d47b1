import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  itHasTheSameBits,
  LENGTHS,
  normal,
} from '../testing.ts'
import { permuteReference } from './reference.ts'
import { permute, transpose } from './transpose.ts'

const caseOf = (shape: readonly number[], order: readonly number[]) => ({
  shapes: [shape],
  operation: (x: Tensor) => permute(x, order),
  reference: (x: Float64Array) => permuteReference(x, shape, order),
  tolerance: {},
})

const permutations = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 5 }).chain((shape) => {
  const axes = shape.map((_, i) => i)
  return fc.tuple(fc.constant(shape), fc.shuffledSubarray(axes, { minLength: axes.length }))
})

describeKernel('permute', (device) => {
  it.each(LENGTHS.slice(0, -1))('exchanges axes of %i and others, elements and runs', async (n) => {
    for (const shape of [
      [n, 7],
      [7, n],
      [3, n, 19],
      [2, n, 5],
    ]) {
      const last = shape.length - 1
      await checkForward(
        device(),
        caseOf(
          shape,
          [...shape.keys()].map((i) => (i < last - 1 ? i : last + last - 1 - i)),
        ),
      )
    }
    await checkForward(device(), caseOf([2, 3, 5, n], [0, 2, 1, 3]))
  })

  it.each([
    [257, 131],
    [131, 257],
    [67, 1021],
  ])('transposes [%i, %i]', (rows, cols) => checkForward(device(), caseOf([rows, cols], [1, 0])))

  it('reorders any axes of any shape, and back again', async () => {
    await fc.assert(
      fc.asyncProperty(permutations, async ([shape, order]) => {
        await checkForward(device(), caseOf(shape, order))
        const values = normal(sizeOf(shape), 3)
        const inverse = order.map((_, i) => order.indexOf(i))
        const [back] = await evaluate(device(), () => [
          permute(permute(device().tensor(values, shape), order), inverse),
        ])
        expect(back).toEqual(values)
      }),
      { seed: 13, numRuns: 50 },
    )
  })

  it('has the permuted gradient', async () => {
    await checkBackward(device(), { ...caseOf([2, 3, 5], [2, 0, 1]), tolerance: { atol: 1e-7 } })
    await checkBackward(device(), { ...caseOf([2, 3, 1, 2], [3, 1, 0, 2]), tolerance: { atol: 1e-7 } })
  })

  it('transpose exchanges two axes, the last two by default', async () => {
    const values = normal(30, 1)
    const [found] = await evaluate(device(), () => [transpose(device().tensor(values, [2, 3, 5]))])
    expect(found).toEqual(
      Float32Array.from(permuteReference(Float64Array.from(values), [2, 3, 5], [0, 2, 1])),
    )
    using _scope = device().scope()
    expect(transpose(device().tensor(values, [2, 3, 5]), 0, -1).shape).toEqual([5, 3, 2])
  })

  it('refuses orders that do not name each axis once', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(6, 1), [2, 3])
    for (const order of [[0], [0, 0], [0, 1, 1]])
      expect(() => permute(x, order)).toThrow(
        `permute: order must name each of the 2 axes once, got [${order.join(', ')}]`,
      )
    expect(() => permute(x, [0, 2])).toThrow('permute: axis must be between -2 and 1, got 2')
    expect(() => transpose(device().tensor([1, 2]))).toThrow(
      'transpose: axis must be between -1 and 0, got -2',
    )
  })
})

describe('permute', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(307 * 401, 1), [307, 401])
    const heads = device.tensor(normal(2 * 211 * 7 * 37, 2), [2, 211, 7, 37])
    return [permute(x, [1, 0]), permute(heads, [0, 2, 1, 3]), permute(heads, [3, 1, 0, 2])]
  })
})
