import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { type Shape, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { mul, sub } from '../binary/binary.ts'
import type { Operand } from '../binary/operands.ts'
import { mean } from '../reduce/mean.ts'
import { sum } from '../reduce/reduce.ts'
import { checkForward, describeKernel, evaluate, itHasTheSameBits, LENGTHS, normal } from '../testing.ts'
import { abs, square } from '../unary/unary.ts'
import { where } from '../where/where.ts'
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from './compare.ts'
import { compareReference } from './reference.ts'

type Compare = <D extends 'f32' | 'i32'>(a: Operand<D>, b: Operand<D>) => Tensor
const { less: isLess, lessEqual: isLessEqual } = compareReference
const operations: [string, Compare, (a: number, b: number) => number][] = [
  ['equal', equal, compareReference.equal],
  ['notEqual', notEqual, compareReference.notEqual],
  ['less', less, isLess],
  ['lessEqual', lessEqual, isLessEqual],
  ['greater', greater, (a, b) => isLess(b, a)],
  ['greaterEqual', greaterEqual, (a, b) => isLessEqual(b, a)],
]

/** Whole numbers of few values, so that many are equal. */
const few = (length: number, seed: number): Float32Array => normal(length, seed).map(Math.round)

describeKernel('comparisons', (device) => {
  it.each(operations)('%s is the reference at every length', async (_, operation, reference) => {
    for (const n of LENGTHS)
      await checkForward(device(), {
        shapes: [[n], [n]],
        inputs: [few(n, 1), few(n, 2)],
        operation,
        reference: (a, b) => a.map((value, i) => reference(value, b[i])),
        tolerance: {},
      })
  })

  it.each(operations)('%s broadcasts, and takes numbers', async (_, operation, reference) => {
    const shapes: [Shape, Shape][] = [
      [[7, 131], [131]],
      [
        [5, 1, 3],
        [1, 7, 1],
      ],
    ]
    for (const [shapeA, shapeB] of shapes) {
      const [a, b] = [few(sizeOf(shapeA), 1), few(sizeOf(shapeB), 2)]
      const [found] = await evaluate(device(), () => [
        operation(device().tensor(a, shapeA), device().tensor(b, shapeB)),
      ])
      const expected =
        shapeA.length === 2
          ? Array.from(a, (value, i) => reference(value, b[i % 131]))
          : Array.from({ length: 105 }, (_, i) =>
              reference(a[3 * Math.floor(i / 21) + (i % 3)], b[Math.floor(i / 3) % 7]),
            )
      expect([...found]).toEqual(expected)
    }
    const found = await evaluate(device(), () => {
      const x = device().tensor([-1, 0, 1])
      return [operation(x, 0), operation(0, x)]
    })
    expect(found.map((values) => [...values])).toEqual([
      [reference(-1, 0), reference(0, 0), reference(1, 0)],
      [reference(0, -1), reference(0, 0), reference(0, 1)],
    ])
  })

  it.each(operations)(
    '%s follows IEEE 754 for NaN, infinities and both zeros',
    async (_, operation, reference) => {
      const edges = [NaN, Infinity, -Infinity, 0, -0, 1e30, -1e30]
      const pairs = edges.flatMap((a) => edges.map((b) => [a, b]))
      const [found] = await evaluate(device(), () => [
        operation(device().tensor(pairs.map(([a]) => a)), device().tensor(pairs.map(([, b]) => b))),
      ])
      expect([...found]).toEqual(pairs.map(([a, b]) => reference(a, b)))
    },
  )

  it.each(operations)('%s compares whole numbers', async (_, operation, reference) => {
    const [a, b] = [Int32Array.of(-5, 3, 3, 16777215, 7), Int32Array.of(-4, 3, 2, 16777216, -7)]
    const found = await evaluate(device(), () => {
      const x = device().tensor(a)
      return [operation(x, device().tensor(b)), operation(x, 3)]
    })
    expect(found.map((values) => [...values])).toEqual([
      Array.from(a, (value, i) => reference(value, b[i])),
      Array.from(a, (value) => reference(value, 3)),
    ])
  })

  it('give the share of what is equal, the accuracy of a classifier', async () => {
    const [accuracy] = await evaluate(device(), () => [
      mean(equal(device().tensor(Int32Array.of(1, 2, 3, 4)), device().tensor(Int32Array.of(1, 0, 3, 0)))),
    ])
    expect([...accuracy]).toEqual([0.5])
  })

  it('are constants for gradients: a Huber loss chooses its branch inside grad', async () => {
    const [found] = await evaluate(device(), () => {
      const x = device().tensor([-3, -0.5, 0, 0.5, 3])
      const huber = () => sum(where(less(abs(x), 1), mul(square(x), 0.5), sub(abs(x), 0.5)))
      return grad(huber, [x]).grads
    })
    expect([...found]).toEqual([-1, -0.5, 0, 0.5, 1])
    const [none] = await evaluate(device(), () => {
      const x = device().tensor([1, 2])
      return grad(() => mean(greater(x, 1)), [x]).grads
    })
    expect([...none]).toEqual([0, 0])
  })

  it('refuse two types', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2])
    const ids = device().tensor(Int32Array.of(1, 2))
    expect(() => Reflect.apply(less, undefined, [x, ids])).toThrow(
      'less: an operand that is not a number must be f32, got i32',
    )
    expect(() => equal(ids, 0.5)).toThrow('tensor: i32 values must be whole numbers')
    expect(() => greater(1, 2)).toThrow('greater: one operand must be a tensor, got 2 and 1')
  })
})

describe('comparisons', () => {
  itHasTheSameBits((device) => {
    const a = device.tensor(few(101 * 997, 1), [101, 997])
    const ids = device.tensor(Int32Array.from(few(101 * 997, 2)))
    return [less(a, device.tensor(few(997, 3))), equal(ids, 1)]
  })

  it('tell i32 apart that no f32 can', async () => {
    const { cpu } = await import('../../backends/cpu/cpu.ts')
    const device = await cpu({ threads: 1 })
    const x = device.tensor(Int32Array.of(2 ** 31 - 1, -(2 ** 31), 16777217))
    const y = device.tensor(Int32Array.of(2 ** 31 - 2, 0, 16777216))
    expect([...(await equal(x, y).data())]).toEqual([0, 0, 0])
    expect([...(await less(x, y).data())]).toEqual([0, 1, 0])
    await device.close()
  })
})
