import { expectNear, randomArray } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { mul } from '../kernels/binary/binary.ts'
import { describeKernel, evaluate, itHasTheSameBits, normal } from '../kernels/testing.ts'
import type { Tensor } from '../tensor.ts'
import { orthogonalize } from './orthogonalize.ts'
import { type Matrix, multiplied, orthogonalizeReference, transposed } from './reference.ts'

const result = (x: Tensor, iterations: number): Tensor => {
  const { matrix, size } = orthogonalize(x, iterations)
  return mul(matrix, size)
}

/** I − 2uuᵀ/uᵀu, an orthogonal matrix. */
function reflection(n: number, seed: number): Matrix {
  const u = randomArray(n, seed)
  const length = u.reduce((sum, x) => sum + x * x, 0)
  const data = Float64Array.from({ length: n * n }, (_, i) => {
    const [row, col] = [Math.floor(i / n), i % n]
    return (row === col ? 1 : 0) - (2 * u[row] * u[col]) / length
  })
  return { rows: n, cols: n, data }
}

/** U·diag(values)·V with orthogonal U and V, [rows, cols]. */
function withSingularValues(rows: number, cols: number, values: readonly number[]): Matrix {
  const data = new Float64Array(rows * cols)
  for (const [i, value] of values.entries()) data[i * cols + i] = value
  return multiplied(multiplied(reflection(rows, 1), { rows, cols, data }), reflection(cols, 2))
}

const SIZES: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 7],
  [7, 1],
  [3, 5],
  [11, 3],
  [17, 17],
  [29, 67],
  [67, 29],
]

describeKernel('orthogonalize', (device) => {
  const tensorOf = ({ rows, cols, data }: Matrix) => device().tensor(data, [rows, cols])

  it.each(SIZES)('is the f64 definition within 3e-5 for [%i, %i]', async (rows, cols) => {
    const x = { rows, cols, data: Float64Array.from(normal(rows * cols, 3)) }
    const [found] = await evaluate(device(), () => [result(tensorOf(x), 5)])
    // Roundings of 1e-7 in the smallest singular values grow by up to the product of the a: 1000.
    expectNear(found, orthogonalizeReference(x, 5).data, { atol: 3e-5 })
  })

  it.each([
    [7, 13],
    [13, 7],
  ])('turns singular values from 0.002 to 1 into 1: U·Vᵀ of [%i, %i]', async (rows, cols) => {
    const count = Math.min(rows, cols)
    const values = Array.from({ length: count }, (_, i) => 0.002 ** (i / (count - 1)))
    const x = withSingularValues(rows, cols, values)
    const expected = withSingularValues(
      rows,
      cols,
      values.map(() => 1),
    )
    const [five, eight] = await evaluate(device(), () => [result(tensorOf(x), 5), result(tensorOf(x), 8)])
    // Singular values of at least 1e-3 become 0.84 … 1.13 after 5 iterations, and 1 within 1e-4 after 8.
    expectNear(five, expected.data, { atol: 0.16 })
    expectNear(eight, expected.data, { atol: 1e-3 })
  })

  it('does not depend on the size of x, and maps 0 to 0', async () => {
    const x = normal(35, 4)
    const [found, large, small, zero] = await evaluate(device(), () =>
      [1, 2 ** 30, 2 ** -30, 0].map((factor) =>
        result(
          device().tensor(
            x.map((value) => value * factor),
            [5, 7],
          ),
          5,
        ),
      ),
    )
    for (const other of [large, small]) expectNear(other, found, { atol: 2e-5 })
    expect(zero).toEqual(new Float32Array(35))
  })

  it('refuses what is no matrix', () => {
    using _scope = device().scope()
    expect(() => orthogonalize(device().tensor([1, 2]), 5)).toThrow(
      'orthogonalize: x must be a matrix, got [2]; reshape it',
    )
  })
})

describe('orthogonalizeReference', () => {
  it('has orthonormal rows for wide matrices and columns for tall ones', () => {
    for (const [rows, cols] of SIZES) {
      const { data } = orthogonalizeReference({ rows, cols, data: randomArray(rows * cols, 5) }, 8)
      const x = { rows, cols, data }
      const gram = rows > cols ? multiplied(transposed(x), x) : multiplied(x, transposed(x))
      const identity = gram.data.map((_, i) => (i % (gram.cols + 1) === 0 ? 1 : 0))
      expectNear(gram.data, identity, { atol: 1e-3 })
    }
  })
})

describe('orthogonalize', () => {
  itHasTheSameBits((device) => [
    orthogonalize(device.tensor(normal(300 * 131, 1), [300, 131]), 5).matrix,
    orthogonalize(device.tensor(normal(300 * 131, 1), [131, 300]), 5).matrix,
  ])
})
