import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DTypeError, ShapeError } from './errors.ts'
import { flatten, type NestedNumbers } from './nested.ts'
import { sizeOf } from './shape.ts'

/** `flat` cut into nested arrays of this shape. */
function nest(flat: readonly number[], shape: readonly number[]): NestedNumbers {
  if (shape.length === 0) return flat[0]
  const [count, ...inner] = shape
  const size = sizeOf(inner)
  return Array.from({ length: count }, (_, i) => nest(flat.slice(i * size, (i + 1) * size), inner))
}

describe('flatten', () => {
  it('gives back the numbers and shape of any nested arrays', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
    fc.assert(
      fc.property(shapes, (shape) => {
        const numbers = Array.from({ length: sizeOf(shape) }, (_, i) => i + 0.5)
        expect(flatten(nest(numbers, shape))).toEqual({ shape, flat: numbers })
      }),
      { seed: 11 },
    )
  })

  it('takes empty arrays, and typed arrays as they are or as rows', () => {
    expect(flatten([])).toEqual({ shape: [0], flat: [] })
    expect(flatten([[], []])).toEqual({ shape: [2, 0], flat: [] })
    const values = Float64Array.of(1, 2)
    expect(flatten(values).flat).toBe(values)
    expect(flatten([values, Float32Array.of(3, 4)])).toEqual({ shape: [2, 2], flat: [1, 2, 3, 4] })
  })

  it.each<[NestedNumbers, string]>([
    [[[1, 2], [3]], 'got length 2 at [0] and length 1 at [1]'],
    [[[[1]], [[2, 3]]], 'got length 1 at [0][0] and length 2 at [1][0]'],
    [[[1, 2], 3], 'got length 2 at [0] and the number 3 at [1]'],
    [[1, [2, 3]], 'got a number at [0] and length 2 at [1]'],
  ])('refuses the ragged %j and says where', (values, message) => {
    expect(() => flatten(values)).toThrow(ShapeError)
    expect(() => flatten(values)).toThrow(
      `tensor: nested arrays must have one length at each depth, ${message}; pad the shorter ones`,
    )
  })

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    ['12', 'the string 12'],
    [[1, 'two'], 'the string two at [1]'],
    [
      [
        [1, 2],
        [3, null],
      ],
      'null at [1][1]',
    ],
    [[true], 'the boolean true at [0]'],
    [BigInt64Array.of(7n), 'the bigint 7 at [0]'],
    [Promise.resolve(1), 'a promise; await it'],
  ])('refuses what is no number: %s', (values, message) => {
    expect(() => flatten(values as NestedNumbers)).toThrow(DTypeError)
    expect(() => flatten(values as NestedNumbers)).toThrow(`tensor: values must be numbers, got ${message}`)
  })
})
