import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ShapeError } from './errors.ts'
import {
  broadcastShapes,
  checkShape,
  inferShape,
  normalizeAxis,
  sameShape,
  sizeOf,
  splitAt,
} from './shape.ts'

describe('shapes', () => {
  it('count their elements', () => {
    expect(sizeOf([])).toBe(1)
    expect(sizeOf([2, 3, 5])).toBe(30)
    expect(sizeOf([7, 0])).toBe(0)
  })

  it('are equal by rank and axes', () => {
    expect(sameShape([2, 3], [2, 3])).toBe(true)
    expect(sameShape([2, 3], [2, 3, 1])).toBe(false)
    expect(sameShape([2, 3], [3, 2])).toBe(false)
  })

  it.each([[[-1]], [[1.5]], [[NaN]], [[2, Infinity]]])('refuse %j', (shape) => {
    expect(() => checkShape('test', shape)).toThrow(ShapeError)
    expect(() => checkShape('test', shape)).toThrow(
      `test: shape must hold whole numbers of at least 0, got [${shape.join(', ')}]`,
    )
  })

  it('count negative axes from the end', () => {
    expect([-3, -1, 0, 2].map((axis) => normalizeAxis('test', axis, 3))).toEqual([0, 2, 0, 2])
    for (const axis of [-4, 3, 0.5, NaN])
      expect(() => normalizeAxis('test', axis, 3)).toThrow(`test: axis must be between -3 and 2, got ${axis}`)
    expect(() => normalizeAxis('test', -1, 0)).toThrow('test: a scalar has no axes, got axis -1')
  })

  it('split around an axis without losing elements', () => {
    expect(splitAt([2, 3, 5, 7], 1)).toEqual({ outer: 2, length: 3, inner: 35 })
    expect(splitAt([4], 0)).toEqual({ outer: 1, length: 4, inner: 1 })
  })

  it('resolve one −1', () => {
    expect(inferShape('test', [-1, 5], 30)).toEqual([6, 5])
    expect(inferShape('test', [], 1)).toEqual([])
    expect(inferShape('test', [0, 3], 0)).toEqual([0, 3])
    for (const shape of [[-1, 4], [-1, -1], [7], [-2, -15], [-1, 0]])
      expect(() => inferShape('test', shape, 30)).toThrow(
        'test: shape must hold 30 elements, with at most one -1',
      )
  })
})

describe('broadcastShapes', () => {
  it('follows NumPy', () => {
    expect(broadcastShapes('test', [2, 3], [3])).toEqual([2, 3])
    expect(broadcastShapes('test', [2, 1], [1, 5])).toEqual([2, 5])
    expect(broadcastShapes('test', [], [7])).toEqual([7])
    expect(broadcastShapes('test', [0, 3], [1, 1])).toEqual([0, 3])
    expect(() => broadcastShapes('test', [0], [2])).toThrow('got [0] and [2]; reshape one of them')
    expect(() => broadcastShapes('test', [2, 3], [2])).toThrow(
      'test: shapes must be equal or 1 on every axis, counted from the last, got [2, 3] and [2]',
    )
  })

  it('is the same from either side, and idempotent', () => {
    const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean(), fc.boolean()), {
      maxLength: 5,
    })
    fc.assert(
      fc.property(axes, (list) => {
        const a = list.map(([n, one]) => (one ? 1 : n))
        const b = list.map(([n, , one]) => (one ? 1 : n))
        const shape = broadcastShapes('test', a, b)
        expect(broadcastShapes('test', b, a)).toEqual(shape)
        expect(broadcastShapes('test', shape, a)).toEqual(shape)
        expect(shape).toEqual(list.map(([n, oneA, oneB]) => (oneA && oneB ? 1 : n)))
      }),
      { seed: 1 },
    )
  })
})
