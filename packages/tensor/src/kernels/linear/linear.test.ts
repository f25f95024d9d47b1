import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { ShapeError } from '../../errors.ts'
import { type Shape, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { add, mul } from '../binary/binary.ts'
import { matmul } from '../matmul/matmul.ts'
import { sum } from '../reduce/reduce.ts'
import { reluSquaredReference } from '../relu-squared/reference.ts'
import { reluSquared } from '../relu-squared/relu-squared.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  itHasTheSameBits,
  normal,
} from '../testing.ts'
import { linear, linearReluSquared } from './linear.ts'
import { linearReference } from './reference.ts'

/** Several slices of k and tiles. */
const LARGE = [[211, 797], 397] as const
/** [shape of x, outputs]: thin on either side, a tile and its edges, batches, {@link LARGE}, and no
 *  elements. */
const CASES: readonly (readonly [Shape, number])[] = [
  [[1, 384], 1536],
  [[3, 29], 11],
  [[41, 37], 3],
  [[2, 23, 19], 31],
  LARGE,
  [[0, 5], 7],
  [[3, 5], 0],
  [[19, 0], 23],
]

type Operation = (x: Tensor, weight: Tensor, residual: Tensor) => Tensor

/** The fused operation, and its composed form. */
const TWINS: Record<string, readonly [Operation, Operation]> = {
  'a product': [(x, weight) => linear(x, weight), (x, weight) => matmul(x, weight, 'nt')],
  'a residual': [linear, (x, weight, residual) => add(residual, matmul(x, weight, 'nt'))],
  'relu²': [(x, weight) => linearReluSquared(x, weight), (x, weight) => reluSquared(matmul(x, weight, 'nt'))],
}

describeKernel('linear', (device, name) => {
  const hasTiles = name !== 'gpu.js webasm' && name !== 'gpu.js cpu'
  describe.each(Object.entries(TWINS))('with %s', (_, twins) => {
    it.each(CASES.filter((test) => hasTiles || test !== LARGE))(
      'has the bits of its parts, forward and backward: %j to %i',
      async (shape, outputs) => {
        const outShape = [...shape.slice(0, -1), outputs]
        const shapes = [shape, [outputs, shape[shape.length - 1]], outShape]
        const results: Float32Array[][] = []
        for (const operation of twins)
          results.push(
            await evaluate(device(), () => {
              const inputs = shapes.map((s, i) => device().tensor(normal(sizeOf(s), i + 1), s))
              const weights = device().tensor(normal(sizeOf(outShape), 4), outShape)
              const [x, weight, residual] = inputs
              const out = operation(x, weight, residual)
              return [out, ...grad(() => sum(mul(operation(x, weight, residual), weights)), inputs).grads]
            }),
          )
        expect(results[0]).toEqual(results[1])
      },
    )
  })

  const shapes = [
    [2, 5, 7],
    [11, 7],
    [2, 5, 11],
  ]
  const tolerance = { atol: 3e-6, rtol: 3e-6 } // sums of 7 and 11 products

  it('is the f64 product, with its gradients', async () => {
    const product = {
      shapes: shapes.slice(0, 2),
      operation: (x: Tensor, weight: Tensor) => linear(x, weight),
      reference: (x: Float64Array, weight: Float64Array) => linearReference(x, weight, 7),
      tolerance,
    }
    const withResidual = {
      shapes,
      operation: linear,
      reference: (x: Float64Array, weight: Float64Array, residual: Float64Array) =>
        linearReference(x, weight, 7).map((value, i) => value + residual[i]),
      tolerance,
    }
    const activated = {
      ...product,
      operation: linearReluSquared,
      reference: (x: Float64Array, weight: Float64Array) =>
        reluSquaredReference(linearReference(x, weight, 7)),
      tolerance: { atol: 3e-5, rtol: 1e-5 }, // squares of sums up to 10
    }
    for (const test of [product, withResidual, activated]) {
      await checkForward(device(), test)
      await checkBackward(device(), test)
    }
  })

  it('keeps nothing between the product and its activation', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(15, 1), [3, 5])
    const weight = device().tensor(normal(35, 2), [7, 5])
    const { liveBuffers } = device().memory
    linearReluSquared(x, weight)
    expect(device().memory.liveBuffers).toBe(liveBuffers + 1)
  })

  it('refuses shapes that do not fit', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(15, 1), [3, 5])
    const weight = device().tensor(normal(35, 2), [7, 5])
    expect(() => linear(x, device().tensor(normal(28, 3), [7, 4]))).toThrow(
      new ShapeError('linear: weight must be [outputs, 5] for x [3, 5], got [7, 4]'),
    )
    expect(() => linearReluSquared(x, device().tensor(normal(5, 3)))).toThrow(
      new ShapeError('linearReluSquared: weight must be [outputs, 5] for x [3, 5], got [5]'),
    )
    expect(() => linear(x, weight, device().tensor(normal(7, 3)))).toThrow(
      new ShapeError('linear: residual must be [3, 7], got [7]'),
    )
  })
})

describe('linear', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(331 * 397, 1), [331, 397])
    const weight = device.tensor(normal(433 * 397, 2), [433, 397])
    return [linear(x, weight, device.tensor(normal(331 * 433, 3), [331, 433])), linearReluSquared(x, weight)]
  })
})
