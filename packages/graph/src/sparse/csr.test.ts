import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxError, normalMatrix } from '../testing.ts'
import {
  checkCsr,
  csrFromCoo,
  csrFromDense,
  diagonal,
  nnz,
  spmm,
  spmv,
  symmetryError,
  toCoo,
  toDense,
  transposeCsr,
  valueAt,
} from './csr.ts'

// [ 0 2 0 ]
// [ 5 0 7 ]
const small = csrFromCoo({ nRows: 2, nCols: 3, row: [1, 0, 1], col: [2, 1, 0], value: [7, 2, 5] })

const triplets = fc.array(
  fc.tuple(fc.nat(4), fc.nat(6), fc.integer({ min: -9, max: 9 })), // 5 × 7
  { maxLength: 40 },
)

describe('csr', () => {
  it('sorts triplets into rows', () => {
    expect([...small.indptr]).toEqual([0, 1, 3])
    expect([...small.indices]).toEqual([1, 0, 2])
    expect([...small.values]).toEqual([2, 5, 7])
    expect(nnz(small)).toBe(3)
    expect([valueAt(small, 1, 2), valueAt(small, 1, 1), valueAt(small, 0, 1)]).toEqual([7, 0, 2])
  })

  it('multiplies vectors and matrices', () => {
    expect([...spmv(small, [1, 10, 100])]).toEqual([20, 705])
    const x = { data: Float64Array.of(1, 2, 3, 4, 5, 6), rows: 3, cols: 2 }
    expect([...spmm(small, x).data]).toEqual([6, 8, 40, 52]) // 2·[3 4]; 5·[1 2] + 7·[5 6]
  })

  it('adds repeated positions, or refuses them', () => {
    const twice = { nRows: 2, nCols: 2, row: [1, 0, 1], col: [0, 1, 0], value: [3, 1, 4] }
    expect([...toDense(csrFromCoo(twice)).data]).toEqual([0, 1, 7, 0])
    expect(() => csrFromCoo(twice, { duplicates: 'error' })).toThrow('got (1, 0) twice')
  })

  it('agrees with dense arithmetic for any triplets', () => {
    fc.assert(
      fc.property(triplets, (entries) => {
        const dense = new Float64Array(35)
        for (const [i, j, v] of entries) dense[i * 7 + j] += v
        const m = csrFromCoo({
          nRows: 5,
          nCols: 7,
          row: entries.map((e) => e[0]),
          col: entries.map((e) => e[1]),
          value: entries.map((e) => e[2]),
        })
        checkCsr('test', m)
        expect(toDense(m).data).toEqual(dense)
        checkCsr('test', transposeCsr(m))
        expect(transposeCsr(transposeCsr(m))).toEqual(m)
        expect(csrFromCoo(toCoo(m))).toEqual(m)
        const x = normalMatrix(3, 7, 1).data
        const product = Float64Array.from({ length: 5 }, (_, i) =>
          x.reduce((sum, v, j) => sum + dense[i * 7 + j] * v, 0),
        )
        expect(maxError(spmv(m, x), product)).toBeLessThan(1e-12) // the sum has 7 terms below 9 · 4
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('keeps a zero diagonal on request', () => {
    const x = { data: Float64Array.of(0, 1, 1, 4), rows: 2, cols: 2 }
    expect(nnz(csrFromDense(x))).toBe(3)
    const kept = csrFromDense(x, { keepDiagonal: true })
    expect(nnz(kept)).toBe(4)
    expect([...diagonal(kept)]).toEqual([0, 4])
  })

  it('finds the worst asymmetry', () => {
    const m = csrFromDense({ data: Float64Array.of(1, 2, 3, 2.5, 1, 0, 3, 4, 1), rows: 3, cols: 3 })
    expect(symmetryError(m)).toMatchObject({ error: 4 }) // 0 against 4 at (1, 2)
    expect(() => symmetryError(small)).toThrow('the matrix must be square, got [')
  })

  it('names what is wrong with bad input', () => {
    expect(() => csrFromCoo({ nRows: 2, nCols: 2, row: [0], col: [2], value: [1] })).toThrow(
      'csrFromCoo: every column must be an integer between 0 and 1, got 2 at entry 0',
    )
    expect(() => csrFromCoo({ nRows: 2, nCols: 2, row: [0.5], col: [0], value: [1] })).toThrow('got 0.5')
    expect(() => csrFromCoo({ nRows: 2, nCols: 2, row: [0], col: [], value: [1] })).toThrow('got 1, 0, 1')
    expect(() => spmv(small, [1, 2])).toThrow('spmv: x must have nCols = 3 elements, got 2')
    expect(() => checkCsr('op', { ...small, indices: Int32Array.of(1, 2, 0) })).toThrow(
      'got 0 after 2 in row 1',
    )
    expect(() => checkCsr('op', { ...small, indptr: Int32Array.of(0, 1) })).toThrow('got 2 elements')
    expect(() => checkCsr('op', { ...small, indptr: Int32Array.of(0, 4, 3) })).toThrow('must not decrease')
  })
})
