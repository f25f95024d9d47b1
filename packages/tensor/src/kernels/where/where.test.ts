import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import type { Shape } from '../../shape.ts'
import { sizeOf } from '../../shape.ts'
import { greater } from '../compare/compare.ts'
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
import { log } from '../unary/unary.ts'
import { whereReference } from './reference.ts'
import { where } from './where.ts'

const maskOf = (length: number): Float32Array => normal(length, 3).map((value) => Number(value > 0))

describeKernel('where', (device) => {
  it('chooses as the reference does, at every length', async () => {
    for (const n of LENGTHS)
      await checkForward(device(), {
        shapes: [[n], [n], [n]],
        inputs: [maskOf(n), normal(n, 1), normal(n, 2)],
        operation: where,
        reference: whereReference,
        tolerance: {},
      })
  })

  const shapes: [Shape, Shape, Shape][] = [
    [[3, 5], [5], [3, 1]],
    [[5], [3, 5], []],
    [[3, 1], [], [5]],
    [[2, 1, 3, 1, 2, 1], [1, 3, 1, 2, 1, 5], [1]],
  ]
  it.each(shapes)('broadcasts %j, %j and %j, gradients too', async (shapeMask, shapeA, shapeB) => {
    const mask = maskOf(sizeOf(shapeMask))
    const rank = Math.max(shapeMask.length, shapeA.length, shapeB.length)
    const pad = (shape: Shape) => [...Array<number>(rank - shape.length).fill(1), ...shape]
    const full = [shapeMask, shapeA, shapeB]
      .map(pad)
      .reduce((left, right) => left.map((n, i) => Math.max(n, right[i])))
    const spread = (values: ArrayLike<number>, shape: Shape) => {
      const own = pad(shape)
      return Float64Array.from({ length: sizeOf(full) }, (_, flat) => {
        let at = 0
        full.forEach((n, axis) => {
          const index = Math.floor(flat / sizeOf(full.slice(axis + 1))) % n
          at = at * own[axis] + (own[axis] === 1 ? 0 : index)
        })
        return values[at]
      })
    }
    const test = {
      shapes: [shapeA, shapeB],
      operation: (a: Parameters<typeof where>[1], b: Parameters<typeof where>[2]) =>
        where(device().tensor(mask, shapeMask), a, b),
      reference: (a: Float64Array, b: Float64Array) =>
        whereReference(spread(mask, shapeMask), spread(a, shapeA), spread(b, shapeB)),
    }
    await checkForward(device(), { ...test, tolerance: {} })
    await checkBackward(device(), { ...test, tolerance: { atol: 3e-6 } })
  })

  it('takes numbers, and leaves no trace of what is not chosen', async () => {
    const [found, dX, chosen] = await evaluate(device(), () => {
      const x = device().tensor([NaN, Infinity, 2, -3])
      const mask = device().tensor([0, 0, 1, 1])
      return [where(mask, x, 7), ...grad(() => sum(where(mask, x, 0)), [x]).grads, where(mask, -1, x)]
    })
    expect([...found]).toEqual([7, 7, 2, -3])
    expect([...dX]).toEqual([0, 0, 1, 1])
    expect([...chosen]).toEqual([NaN, Infinity, -1, -1])
  })

  it('counts NaN as not 0, and both zeros as 0', async () => {
    const [found] = await evaluate(device(), () => [
      where(device().tensor([NaN, 0, -0, -2, Infinity, 1e-30]), 1, 0),
    ])
    expect([...found]).toEqual([1, 0, 0, 1, 1, 1])
  })

  it('chooses by comparisons', async () => {
    const [found] = await evaluate(device(), () => {
      const x = device().tensor([-1, 1, Math.E])
      return [where(greater(x, 0), log(x), -10)]
    })
    expect([found[0], found[1]]).toEqual([-10, 0])
    expect(found[2]).toBeCloseTo(1, 6)
  })

  it('takes f32 masks only', () => {
    using _scope = device().scope()
    const ids = device().tensor(Int32Array.of(1, 0))
    expect(() => Reflect.apply(where, undefined, [ids, 1, 0])).toThrow('where: mask must be f32, got i32')
  })
})

describe('where', () => {
  itHasTheSameBits((device) => {
    const mask = device.tensor(maskOf(997))
    return [
      where(mask, device.tensor(normal(101 * 997, 1), [101, 997]), device.tensor(normal(101, 2), [101, 1])),
    ]
  })
})
