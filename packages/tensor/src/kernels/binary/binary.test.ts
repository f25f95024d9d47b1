import { expectNear } from '@tau/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { type Shape, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { sum } from '../reduce/reduce.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  exactly,
  itHasTheSameBits,
  LENGTHS,
  normal,
} from '../testing.ts'
import { add, type BinaryOp, div, maximum, minimum, mul, pow, sub } from './binary.ts'
import { broadcastLoops } from './broadcast.ts'
import type { Operand } from './operands.ts'
import { binaryReference } from './reference.ts'

type PublicOp = Exclude<BinaryOp, 'powSlopeX' | 'powSlopeY'>
const OPERATIONS: Record<PublicOp, (a: Operand, b: Operand) => Tensor> = {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  pow,
}
const PUBLIC_OPS = Object.keys(OPERATIONS) as PublicOp[]

/** Normal numbers at least ½ away from 0: quotients stay of size 1. */
const away = (length: number, seed: number): Float32Array =>
  normal(length, seed).map((value) => value + Math.sign(value) / 2 || 1)

const caseOf = (op: PublicOp, shapeA: Shape, shapeB: Shape) => ({
  shapes: [shapeA, shapeB],
  // powers are of positive numbers
  inputs: [
    normal(sizeOf(shapeA), 1).map(op === 'pow' ? (x) => Math.abs(x) + 0.25 : (x) => x),
    away(sizeOf(shapeB), 2),
  ],
  operation: OPERATIONS[op],
  reference: (a: Float64Array, b: Float64Array) => binaryReference(op, a, shapeA, b, shapeB),
  tolerance: { rtol: op === 'pow' ? 1e-5 : 2e-7 }, // one rounding, two in shaders' division; their powers have exponentials
})

/** Two shapes that broadcast: each axis of either may be 1, and leading axes may be absent. */
const broadcastable = fc
  .tuple(
    fc.array(fc.record({ n: fc.integer({ min: 1, max: 4 }), a: fc.boolean(), b: fc.boolean() }), {
      maxLength: 6,
    }),
    fc.nat(6),
    fc.boolean(),
  )
  .map(([axes, dropped, fromA]): [Shape, Shape] => {
    const a = axes.map((axis) => (axis.a ? 1 : axis.n))
    const b = axes.map((axis) => (axis.b ? 1 : axis.n))
    return fromA ? [a.slice(dropped), b] : [a, b.slice(dropped)]
  })

describeKernel('binary operations', (device, name) => {
  it.each(PUBLIC_OPS)(
    '%s is correctly rounded at every length, and with a scalar on either side',
    async (op) => {
      for (const n of LENGTHS)
        for (const [a, b] of [
          [[n], [n]],
          [[n], []],
          [[], [n]],
          [[n], [1]],
        ])
          await checkForward(device(), caseOf(op, a, b))
    },
  )

  it.each(PUBLIC_OPS)('%s broadcasts rows, columns and middles', async (op) => {
    const pairs = [
      [[7, 131], [131]],
      [[131], [7, 131]],
      [
        [7, 131],
        [7, 1],
      ],
      [[7, 1], [131]],
      [
        [5, 1, 3],
        [1, 7, 1],
      ],
      [
        [3, 257, 5],
        [257, 1],
      ],
    ]
    for (const [a, b] of pairs) await checkForward(device(), caseOf(op, a, b))
  })

  it('broadcasts any two shapes that fit, of up to six axes', async () => {
    await fc.assert(
      fc.asyncProperty(broadcastable, fc.constantFrom(...PUBLIC_OPS), ([a, b], op) =>
        checkForward(device(), caseOf(op, a, b)),
      ),
      { seed: 7, numRuns: 60 },
    )
  })

  it('takes more than four groups of axes', async () => {
    const [a, b] = [
      [2, 1, 3, 1, 2, 1],
      [1, 3, 1, 2, 1, 5],
    ]
    expect(broadcastLoops([a, b], [2, 3, 3, 2, 2, 5])).toBeUndefined()
    for (const op of PUBLIC_OPS) await checkForward(device(), caseOf(op, a, b))
    await checkBackward(device(), { ...caseOf('mul', a, b), tolerance: { atol: 1e-5, rtol: 1e-6 } })
  })

  it.each(PUBLIC_OPS)('%s has the gradients of the reference, broadcast or not', async (op) => {
    const pairs = [
      [[13], [13]],
      [[3, 5], [5]],
      [[5], [3, 5]],
      [
        [3, 5],
        [3, 1],
      ],
      [
        [5, 1, 3],
        [1, 2, 1],
      ],
      [[], [7]],
    ]
    for (const [a, b] of pairs)
      await checkBackward(device(), {
        ...caseOf(op, a, b),
        tolerance: { atol: 2e-6, rtol: op === 'pow' ? 1e-5 : 2e-6 }, // sums of ≤ 15 terms
      })
  })

  it.each(PUBLIC_OPS)('%s takes a number on either side, gradient too', async (op) => {
    const shape = [3, 5]
    for (const number of op === 'pow' ? [0.75, 3] : [-0.75, 1e-5]) {
      const left = {
        shapes: [shape],
        inputs: [away(15, 1).map(op === 'pow' ? (x) => Math.abs(x) : (x) => x)],
        operation: (b: Tensor) => OPERATIONS[op](number, b),
        reference: (b: Float64Array) => binaryReference(op, Float64Array.of(number), [], b, shape),
        tolerance: { rtol: 1e-5, atol: 1e-6 * Math.abs(number) },
      }
      const right = {
        ...left,
        operation: (a: Tensor) => OPERATIONS[op](a, number),
        reference: (a: Float64Array) => binaryReference(op, a, shape, Float64Array.of(number), []),
      }
      for (const test of [left, right]) {
        await checkForward(device(), test)
        await checkBackward(device(), { ...test, tolerance: { rtol: 1e-5, atol: 1e-6 } })
      }
    }
  })

  it('has the bits of a scalar tensor where an operand is a number', async () => {
    const [number, scalar] = await evaluate(device(), () => {
      const x = device().tensor(normal(33, 5))
      return [add(x, 0.1), add(x, device().scalar(0.1))]
    })
    expect(number).toEqual(scalar)
  })

  it('adds up when both operands are the same tensor', async () => {
    const [dX, dY] = await evaluate(device(), () => {
      const x = device().tensor([1, 2, 3])
      const [dSquare] = grad(() => sum(mul(x, x)), [x]).grads
      const [dDouble] = grad(() => sum(add(x, x)), [x]).grads
      return [dSquare, dDouble]
    })
    expect([...dX]).toEqual([2, 4, 6])
    expect([...dY]).toEqual([2, 2, 2])
  })

  it('mul multiplies by a number, gradient too', async () => {
    await checkForward(device(), {
      shapes: [[37]],
      operation: (x) => mul(x, -0.5),
      reference: (x) => x.map((value) => -0.5 * value),
      tolerance: {},
    })
    await checkBackward(device(), {
      shapes: [[3, 2]],
      operation: (x) => mul(x, -0.5),
      reference: (x) => x.map((value) => -0.5 * value),
      tolerance: { atol: 1e-7 },
    })
  })

  it('follows IEEE 754 at the edges', async () => {
    const [quotient, product] = await evaluate(device(), () => {
      const a = device().tensor([1, -1, 0, Infinity, 1, NaN])
      const b = device().tensor([0, 0, 0, Infinity, Infinity, 1])
      return [div(a, b), mul(a, b)]
    })
    expect([...quotient]).toEqual([Infinity, -Infinity, NaN, NaN, 0, NaN])
    expect([...product.map(Math.abs)]).toEqual([0, 0, 0, Infinity, Infinity, NaN])
  })

  it('refuses operands that are no f32 tensors or numbers', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2])
    const call = (...operands: unknown[]) => Reflect.apply(add, undefined, operands)
    expect(() => call(x)).toThrow(
      'add: an operand that is not a number must be a tensor, got undefined; make one with device.tensor(values)',
    )
    expect(() => call([1, 2], x)).toThrow('must be a tensor, got an array')
    expect(() => call(x, device().tensor(Int32Array.of(1, 2)))).toThrow('must be f32, got i32')
    expect(() => call(1, 2)).toThrow(
      'add: one operand must be a tensor, got 1 and 2; numbers need no operation',
    )
  })

  it('splits the gradient where maximum or minimum has equal operands', async () => {
    const found = await evaluate(device(), () =>
      [maximum, minimum].flatMap((op) => {
        const a = device().tensor([1, 2, 3, NaN])
        const b = device().tensor([2, 2, 2, 2])
        return [op(a, b), ...grad(() => sum(op(a, b)), [a, b]).grads]
      }),
    )
    expect(found.map((values) => [...values])).toEqual([
      ...[
        [2, 2, 3, NaN],
        [0, 0.5, 1, 0],
        [1, 0.5, 0, 0],
      ],
      ...[
        [1, 2, 2, NaN],
        [1, 0.5, 0, 0],
        [0, 0.5, 1, 0],
      ],
    ])
  })

  it('maximum and minimum are NaN where either operand is', async () => {
    const found = await evaluate(device(), () => {
      const a = device().tensor([NaN, 1, -Infinity, Infinity])
      const b = device().tensor([1, NaN, 3, 3])
      return [maximum(a, b), minimum(a, b), maximum(b, a), minimum(b, a)]
    })
    const largest = [NaN, NaN, 3, Infinity]
    const smallest = [NaN, NaN, -Infinity, 3]
    expect(found.map((values) => [...values])).toEqual([largest, smallest, largest, smallest])
  })

  it('pow follows C at the edges', async () => {
    const edges = [NaN, Infinity, -Infinity, 0, 1, -1, 2, -2, 3, 0.5, -0.5, 1e30]
    const pairs = edges.flatMap((x) => edges.map((y) => [x, y]))
    const [x, y] = [0, 1].map((i) => Float32Array.from(pairs, (pair) => pair[i]))
    const [found] = await evaluate(device(), () => [pow(device().tensor(x), device().tensor(y))])
    const expected = binaryReference('pow', exactly(x), [x.length], exactly(y), [y.length])
    expectNear(found, Float32Array.from(expected), { rtol: 1e-5 })
  })

  it('pow has a small relative error over all magnitudes', async () => {
    const x = Float32Array.from({ length: 2001 }, (_, i) => 10 ** ((i - 1000) / 30))
    for (const exponent of [-1, 0.5, 1.1, 2, 3]) {
      const expected = Float64Array.from(x, (value) => value ** Math.fround(exponent))
      const [found] = await evaluate(device(), () => [pow(device().tensor(x), exponent)])
      const isNormal = (value: number) => value > 2 ** -126 && value < 2 ** 127
      expectNear(
        found.filter((_, i) => isNormal(expected[i])),
        expected.filter(isNormal),
        // e^t of a GPU is good to 3 + 2|t| units in the last place, and t to about as much: |t| ≤ 88
        { rtol: name.startsWith('cpu') ? 6.1e-8 : 5e-5 },
      )
    }
  })

  it('pow of a negative number, and the gradients at 0', async () => {
    const found = await evaluate(device(), () => {
      const x = device().tensor([-2, -2, 0, 0, 0, 3])
      const y = device().tensor([3, 2, 0, 1, 3, 0])
      return [pow(x, y), ...grad(() => sum(pow(x, y)), [x, y]).grads, pow(x, 2)]
    })
    const [values, dX, dY, squares] = found
    expectNear(values, Float32Array.of(-8, 4, 1, 0, 0, 1), { rtol: 1e-5 })
    expectNear(dX, Float32Array.of(12, -4, 0, 1, 0, 0), { rtol: 1e-5 })
    expectNear(dY, Float32Array.of(NaN, NaN, 0, 0, 0, Math.log(3)), { rtol: 1e-5 })
    expect([...squares]).toEqual([4, 4, 0, 0, 0, 9])
  })

  it('names both shapes when they do not fit', () => {
    using _scope = device().scope()
    const [a, b] = [device().tensor([1, 2, 3]), device().tensor([1, 2])]
    for (const op of PUBLIC_OPS)
      expect(() => OPERATIONS[op](a, b)).toThrow(
        `${op}: shapes must be equal or 1 on every axis, counted from the last, got [3] and [2]; reshape one of them`,
      )
  })
})

describe('binary operations', () => {
  itHasTheSameBits((device) => {
    const a = device.tensor(normal(13 * 101 * 97, 1), [13, 101, 97])
    const row = device.tensor(away(97, 2))
    const column = device.tensor(away(101, 3), [101, 1])
    return [
      ...[add(a, row), sub(row, a), mul(a, column), div(a, a), div(a, column)],
      ...[maximum(a, row), minimum(column, a), pow(mul(a, a), column)],
    ]
  })
})
