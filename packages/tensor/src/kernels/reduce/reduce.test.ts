import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
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
import { mean } from './mean.ts'
import { max, type ReduceOp, sum } from './reduce.ts'
import { reduceReference } from './reference.ts'

/** Both sides of every limit at which a reduction is split: rows, chunks of rows, panels of columns, chunks
 *  of columns. */
const LAYOUTS: [number, number, number][] = [
  [1, 40_009, 1],
  [3, 40_009, 1],
  [67, 33_000, 1],
  [40_009, 3, 1],
  [1, 20_011, 5],
  [1, 1009, 131],
  [1, 131, 1031],
  [3, 131, 257],
  [1, 3, 40_009],
  [5, 7, 11],
]

describeKernel('sum and max', (device, name) => {
  const caseOf = (op: ReduceOp, shape: readonly number[], axes: readonly number[]) => ({
    shapes: [shape],
    operation: (x: Tensor) => (op === 'sum' ? sum : max)(x, axes),
    reference: (x: Float64Array) => reduceReference(op, x, shape, axes),
    tolerance: op === 'max' ? {} : sumTolerance(sizeOf(axes.map((axis) => shape[axis])), axes),
  })
  // The cpu sums in f64 and rounds once per group of neighbouring axes. Elsewhere up to 64 partial sums of size √64 are
  // rounded in each chunk of terms.
  const sumTolerance = (terms: number, axes: readonly number[]) => {
    if (!name.startsWith('cpu')) return { atol: 1e-6 * Math.sqrt(terms) }
    const isOneGroup = axes.every((axis, i) => i === 0 || axis === axes[i - 1] + 1)
    return { atol: isOneGroup ? 1e-11 : 2e-7 * Math.sqrt(terms), rtol: 6e-8 }
  }

  it.each(LENGTHS)('reduce %i elements to one', async (n) => {
    await checkForward(device(), caseOf('sum', [n], [0]))
    if (n > 0) await checkForward(device(), caseOf('max', [n], [0]))
  })

  it.each(LENGTHS.slice(1, -1))('reduce rows and columns of %i elements', async (n) => {
    for (const op of ['sum', 'max'] as const) {
      await checkForward(device(), caseOf(op, [7, n], [1]))
      await checkForward(device(), caseOf(op, [n, 7], [0]))
      await checkForward(device(), caseOf(op, [7, n], [0]))
    }
  })

  it.each(LAYOUTS)('reduce the middle of [%i, %i, %i]', async (outer, length, inner) => {
    for (const op of ['sum', 'max'] as const)
      await checkForward(device(), caseOf(op, [outer, length, inner], [1]))
  })

  it('reduce any axes of any shape', async () => {
    const shapes = fc
      .array(fc.integer({ min: 1, max: 5 }), { maxLength: 5 })
      .chain((shape) => fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i))))
    await fc.assert(
      fc.asyncProperty(shapes, fc.constantFrom('sum', 'max'), ([shape, axes], op) =>
        checkForward(device(), caseOf(op, shape, axes)),
      ),
      { seed: 5, numRuns: 50 },
    )
  })

  it('repeat the gradient of a sum along its axes', async () => {
    const tolerance = { atol: 1e-6 }
    for (const axes of [[0], [1], [2], [0, 2], [0, 1, 2], []])
      await checkBackward(device(), { ...caseOf('sum', [3, 2, 5], axes), tolerance })
    await checkBackward(device(), { ...caseOf('sum', [2, 1, 2, 3, 2, 2, 3], [0, 2, 4, 6]), tolerance })
  })

  it('mean divides by the number of elements, gradient too, and leaves no buffer behind', async () => {
    const reference = (x: Float64Array) => reduceReference('sum', x, [7, 5], [0]).map((total) => total / 7)
    const test = {
      shapes: [[7, 5]],
      operation: (x: Tensor) => mean(x, [0]),
      reference,
      tolerance: { atol: 2e-7 },
    }
    await checkForward(device(), test)
    await checkBackward(device(), test)
    const x = device().tensor([1, 2, 6])
    const { liveBuffers } = device().memory
    const average = mean(x)
    expect(device().memory.liveBuffers - liveBuffers).toBe(1)
    expect(await average.item()).toBe(3)
    for (const tensor of [x, average]) tensor.dispose()
  })

  it.skipIf(!name.startsWith('cpu'))('sum what cancels in f32: 1e8 + 1 − 1e8, over and over', async () => {
    const values = Float32Array.from({ length: 30_003 }, (_, i) => [1e8, 1, -1e8][i % 3])
    const [rows, columns] = await evaluate(device(), () => [
      sum(device().tensor(values)),
      sum(device().tensor(values, [3, 10_001]), [0]),
    ])
    expect(rows[0]).toBe(10_001)
    expect(columns).toHaveLength(10_001)
  })

  it('keep NaN and infinities, wherever they stand', async () => {
    for (const at of [0, 3, 31, 64, 66]) {
      const found = await evaluate(device(), () =>
        [NaN, Infinity, -Infinity].flatMap((value) => {
          const row = device().tensor(normal(67, 1).with(at, value))
          const column = device().tensor(normal(67 * 5, 1).with(5 * at + 2, value), [67, 5])
          return [sum(row), max(row), sum(column, [0]), max(column, [0])]
        }),
      )
      const edge = found.map((values) => (values.length === 1 ? values[0] : values[2]))
      const largest = Math.max(...normal(67, 1).with(at, -9))
      const columns = normal(67 * 5, 1)
        .with(5 * at + 2, -9)
        .filter((_, i) => i % 5 === 2)
      expect(edge.slice(0, 4)).toEqual([NaN, NaN, NaN, NaN])
      expect(edge.slice(4, 8)).toEqual([Infinity, Infinity, Infinity, Infinity])
      expect(edge.slice(8)).toEqual([-Infinity, largest, -Infinity, Math.max(...columns)])
    }
  })

  it('take one axis as a number', async () => {
    const [sums, means, largest] = await evaluate(device(), () => {
      const x = device().tensor([
        [1, 2, 6],
        [-4, -5, 0],
      ])
      return [sum(x, -1), mean(x, 0), max(x, 1)]
    })
    expect([[...sums], [...means], [...largest]]).toEqual([
      [9, -9],
      [-1.5, -1.5, 3],
      [6, 0],
    ])
  })

  it('sum nothing to 0, and have no largest of nothing', async () => {
    const [total, rows] = await evaluate(device(), () => [
      sum(device().tensor([], [0, 3])),
      sum(device().tensor([], [0, 3]), [0]),
    ])
    expect([...total, ...rows]).toEqual([0, 0, 0, 0])
    using _scope = device().scope()
    const empty = device().tensor([], [0, 3])
    expect(() => max(empty)).toThrow('max: tensor must hold at least one element, got [0, 3]')
    expect(() => mean(empty)).toThrow('mean: tensor must hold at least one element, got [0, 3]')
  })

  it('name the axes there are; max is not recorded', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(6, 1), [2, 3])
    expect(() => Reflect.apply(sum, undefined, [x, { axis: 0 }])).toThrow(
      'sum: axes must be a number or an array of numbers, got an object of class Object',
    )
    expect(() => sum(x, [2])).toThrow('sum: axis must be between -2 and 1, got 2')
    expect(() => max(x, [-3])).toThrow('max: axis must be between -2 and 1, got -3')
    expect(() => grad(() => max(x), [x])).toThrow('max: this operation has no gradient')
  })
})

describe('sum and max', () => {
  itHasTheSameBits((device) =>
    LAYOUTS.flatMap(([outer, length, inner]) => {
      const x = device.tensor(normal(Math.min(outer, 5) * length * inner, 1), [
        Math.min(outer, 5),
        length,
        inner,
      ])
      return [sum(x, [1]), max(x, [1]), sum(x)]
    }),
  )
})
