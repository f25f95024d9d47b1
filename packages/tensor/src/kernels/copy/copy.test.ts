import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { sizeOf, splitAt } from '../../shape.ts'
import { fill } from '../fill/fill.ts'
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
import { concat, copyBlock, slice } from './copy.ts'
import { concatReference, sliceReference } from './reference.ts'

/** A shape, an axis of it, and where to cut that axis. */
const cuts = fc
  .array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.tuple(fc.constant(shape), fc.nat(shape.length - 1)))
  .chain(([shape, axis]) =>
    fc.tuple(fc.constant(shape), fc.constant(axis), fc.nat(shape[axis]), fc.nat(shape[axis])),
  )

const sliceCase = (shape: readonly number[], axis: number, start: number, end: number) => ({
  shapes: [shape],
  operation: (x: Parameters<typeof slice>[0]) => slice(x, axis, start, end),
  reference: (x: Float64Array) => {
    const { outer, length, inner } = splitAt(shape, axis)
    return sliceReference(x, outer, length, inner, start, end)
  },
  tolerance: {},
})

const concatCase = (shapes: readonly (readonly number[])[], axis: number) => ({
  shapes,
  operation: (...tensors: Parameters<typeof slice>[0][]) => concat(tensors, axis),
  reference: (...arrays: Float64Array[]) => {
    const { outer, inner } = splitAt(shapes[0], axis)
    return concatReference(
      arrays,
      outer,
      shapes.map((shape) => shape[axis]),
      inner,
    )
  },
  tolerance: {},
})

describeKernel('slice and concat', (device) => {
  it.each(LENGTHS)('slice runs of %i elements, as one run and as rows', async (n) => {
    await checkForward(device(), sliceCase([n + 7], 0, 3, n + 3))
    await checkForward(device(), sliceCase([3, n + 2], 1, 1, n + 1))
  })

  it('slice any axis of any shape, and concat puts the pieces together again', async () => {
    const property = fc.asyncProperty(cuts, async ([shape, axis, i, j]) => {
      const [start, end] = [Math.min(i, j), Math.max(i, j)]
      await checkForward(device(), sliceCase(shape, axis, start, end))
      const values = normal(sizeOf(shape), 5)
      const [whole] = await evaluate(device(), () => {
        const x = device().tensor(values, shape)
        const ranges = [
          [0, start],
          [start, end],
          [end, shape[axis]],
        ]
        return [
          concat(
            ranges.map(([from, to]) => slice(x, axis, from, to)),
            axis,
          ),
        ]
      })
      expect(whole).toEqual(values)
    })
    await fc.assert(property, { seed: 11, numRuns: 40 })
  })

  it('concat along every axis', async () => {
    await checkForward(
      device(),
      concatCase(
        [
          [2, 3, 5],
          [2, 7, 5],
          [2, 1, 5],
        ],
        1,
      ),
    )
    await checkForward(
      device(),
      concatCase(
        [
          [2, 3, 5],
          [11, 3, 5],
        ],
        0,
      ),
    )
    await checkForward(
      device(),
      concatCase(
        [
          [2, 3, 5],
          [2, 3, 13],
        ],
        2,
      ),
    )
  })

  it('have gradients of no elements where there are none', async () => {
    const [dX] = await evaluate(device(), () => {
      const [x, y] = [device().tensor([], [2, 3, 0]), device().tensor([], [2, 1, 0])]
      return grad(() => sum(concat([x, y], 1)), [x]).grads
    })
    expect(dX).toHaveLength(0)
  })

  it('have gradients that put pieces back', async () => {
    const tolerance = { atol: 1e-7 }
    await checkBackward(device(), { ...sliceCase([3, 7, 2], 1, 2, 5), tolerance })
    await checkBackward(device(), {
      ...concatCase(
        [
          [2, 3],
          [2, 5],
        ],
        1,
      ),
      tolerance,
    })
  })

  it('name the axis and the sizes when they do not fit', () => {
    using _scope = device().scope()
    const x = device().tensor(new Float32Array(15), [3, 5])
    expect(() => slice(x, 1, 2, 6)).toThrow('slice: range must lie in [0, 5] on axis 1 of [3, 5], got [2, 6)')
    expect(() => slice(x, -1, 3, 2)).toThrow(
      'slice: range must lie in [0, 5] on axis 1 of [3, 5], got [3, 2)',
    )
    expect(() => slice(x, 2, 0, 1)).toThrow('slice: axis must be between -2 and 1, got 2')
    expect(() => slice(device().scalar(1), 0, 0, 1)).toThrow('slice: x must have at least 1 axes, got []')
    expect(() => Reflect.apply(concat, undefined, [x, x])).toThrow(
      /^concat: tensors must be an array of tensors, got an object of class Tensor; write concat\(\[a, b\], axis\)$/,
    )
    expect(() => concat([], 0)).toThrow('concat: at least one tensor must be given, got none')
    expect(() => concat([x, device().tensor([1])], 0)).toThrow(
      'concat: shapes must be equal except on axis 0, got [3, 5] and [1]',
    )
  })
})

describeKernel('copyBlock', (device) => {
  it('writes a block in place and nothing else', async () => {
    const values = Float32Array.from({ length: 20 }, (_, i) => i)
    const [found] = await evaluate(device(), () => {
      const tensor = fill(device(), [5, 7], -1)
      const source = device().tensor(values, [4, 5])
      copyBlock({ tensor: source, offset: 6, stride: 5 }, { tensor, offset: 9, stride: 7 }, 3, 3)
      return [tensor]
    })
    const expected = new Float32Array(35).fill(-1)
    for (let row = 0; row < 3; row++)
      for (let col = 0; col < 3; col++) expected[9 + 7 * row + col] = 6 + 5 * row + col
    expect(found).toEqual(expected)
  })

  it('refuses blocks that leave their tensor, overlap themselves or are no whole numbers', () => {
    using _scope = device().scope()
    const source = { tensor: fill(device(), [10], 0), offset: 0, stride: 5 }
    const target = { tensor: fill(device(), [10], 0), offset: 0, stride: 5 }
    expect(() => copyBlock({ ...source, offset: 1 }, target, 2, 5)).toThrow(
      'copyBlock: source block must lie inside its 10 elements without overlap, got offset 1, 2 rows of 5, stride 5',
    )
    for (const wrong of [{ offset: -1 }, { offset: 0.5 }, { stride: 4 }, { stride: 6 }, { offset: NaN }])
      expect(() => copyBlock(source, { ...target, ...wrong }, 2, 5)).toThrow(
        'copyBlock: target block must lie inside',
      )
  })
})

describe('slice and concat', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(307 * 401, 1), [307, 401])
    return [slice(x, 1, 3, 399), slice(x, 0, 1, 306), concat([x, x], 1), concat([x, x], 0)]
  })
})
