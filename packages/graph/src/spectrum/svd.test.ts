import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { multiply } from '../dense/multiply.ts'
import { qr } from '../dense/qr.ts'
import { csrFromDense } from '../sparse/csr.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { randomizedSvd } from './svd.ts'

const transposed = ({ data, rows, cols }: DenseMatrix): DenseMatrix => ({
  data: Float64Array.from(data, (_, n) => data[(n % rows) * cols + Math.floor(n / rows)]),
  rows: cols,
  cols: rows,
})

/** Largest deviation of xᵀx from the identity. */
const orthonormality = (x: DenseMatrix) => {
  const gram = multiply(transposed(x), x)
  return maxError(
    gram.data,
    gram.data.map((_, n) => (n % (x.cols + 1) === 0 ? 1 : 0)),
  )
}

/** u diag(s) vᵀ. */
const product = (u: DenseMatrix, s: Float64Array, v: DenseMatrix) =>
  multiply({ ...u, data: Float64Array.from(u.data, (value, n) => value * s[n % s.length]) }, transposed(v))

describe('qr', () => {
  it('factors a tall matrix', () => {
    const x = normalMatrix(1, 67, 13)
    const { q, r } = qr(x)
    expect(orthonormality(q)).toBeLessThan(1e-14)
    expect(maxError(multiply(q, r).data, x.data)).toBeLessThan(1e-13)
    for (let i = 0; i < 13; i++) for (let j = 0; j < i; j++) expect(r.data[i * 13 + j]).toBe(0)
  })

  it('stays orthonormal for nearly dependent columns', () => {
    const base = normalMatrix(2, 67, 1)
    const noise = normalMatrix(3, 67, 11)
    const x = { ...noise, data: noise.data.map((v, n) => base.data[Math.floor(n / 11)] + 1e-9 * v) }
    expect(orthonormality(qr(x).q)).toBeLessThan(1e-13)
  })

  it('gives zero columns for dependent ones', () => {
    const { q, r } = qr({ data: Float64Array.of(1, 2, 0, 1, 2, 0, 0, 0, 0), rows: 3, cols: 3 })
    expect(maxError([r.data[0], r.data[4], r.data[8]], [Math.SQRT2, 0, 0])).toBeLessThan(1e-15)
    expect([...q.data].filter((_, n) => n % 3 > 0).map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe('randomizedSvd', () => {
  it.each([
    [31, 17],
    [17, 31],
  ])('is exact at full rank, %i × %i', (rows, cols) => {
    const a = normalMatrix(4, rows, cols)
    const { u, s, v } = randomizedSvd(a, { rank: 17, seed: 1 })
    expect(orthonormality(u)).toBeLessThan(1e-13)
    expect(orthonormality(v)).toBeLessThan(1e-13)
    expect(maxError(product(u, s, v).data, a.data)).toBeLessThan(1e-12)
    const gram = multiply(transposed(a), a)
    const { realEigenvalues } = new EigenvalueDecomposition(Matrix.from1DArray(cols, cols, gram.data))
    const squares = realEigenvalues.sort((x, y) => y - x).slice(0, 17)
    expect(
      maxError(
        s.map((x) => x * x),
        squares,
      ),
    ).toBeLessThan(1e-11) // for squares of up to 80
  })

  it('recovers a low-rank matrix and its descending spectrum, sparse as dense', () => {
    const left = qr(normalMatrix(5, 53, 5)).q
    const right = qr(normalMatrix(6, 41, 5)).q
    const spectrum = Float64Array.of(9, 4, 2, 1, 0.5)
    const a = product(left, spectrum, right)
    const dense = randomizedSvd(a, { rank: 5, seed: 3 })
    expect(maxError(dense.s, spectrum)).toBeLessThan(1e-13)
    expect(maxError(product(dense.u, dense.s, dense.v).data, a.data)).toBeLessThan(1e-13)
    const sparse = randomizedSvd(csrFromDense(a), { rank: 5, seed: 3 })
    expect(maxError(sparse.u.data, dense.u.data)).toBeLessThan(1e-12)
    const truncated = randomizedSvd(a, { rank: 2, oversample: 1, seed: 3 })
    expect(maxError(truncated.s, [9, 4])).toBeLessThan(1e-3) // sharpened by (2/4)^(2·2+1), and the error is its square
  })

  it('repeats for one seed and fixes the signs', () => {
    const a = normalMatrix(7, 23, 19)
    const once = randomizedSvd(a, { rank: 3, seed: 9 })
    expect(randomizedSvd(a, { rank: 3, seed: 9 })).toEqual(once)
    for (let j = 0; j < 3; j++) {
      const column = Array.from({ length: 19 }, (_, i) => once.v.data[i * 3 + j])
      expect(Math.max(...column)).toBe(Math.max(...column.map(Math.abs)))
    }
  })

  it('names the rank out of range', () => {
    expect(() => randomizedSvd(normalMatrix(1, 5, 7), { rank: 6, seed: 0 })).toThrow(
      'randomizedSvd: rank must be an integer between 1 and 5, got 6; the matrix is [5, 7]',
    )
  })
})
