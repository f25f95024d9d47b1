import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { laplacian } from '../laplacian/laplacian.ts'
import { csrFromDense, spmv } from '../sparse/csr.ts'
import { laplacianOf, plainDispersion, rowOf } from '../taumode-index/testing.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { edgeDispersion } from './dispersion.ts'

/** Path 0 - 1 - 2 with weights 1 and 3. */
const path = laplacian(csrFromDense({ data: Float64Array.of(0, 1, 0, 1, 0, 3, 0, 3, 0), rows: 3, cols: 3 }))
const rows = (...data: number[]) => ({ data: Float64Array.from(data), rows: data.length / 3, cols: 3 })

describe('edgeDispersion', () => {
  it('has its hand-derived values', () => {
    // the energies of the two edges are (1, 3), (4, 0), (3, 3), and zero for the last two rows
    const x = rows(0, 1, 2, 2, 0, 0, Math.sqrt(3), 0, 1, 7, 7, 7, 0, 0, 0)
    expect(maxError(edgeDispersion(x, path), [10 / 16, 1, 1 / 2, 0, 0])).toBeLessThan(1e-15)
  })

  it('is the definition, pair by pair', async () => {
    const L = await laplacianOf(13)
    const x = normalMatrix(3, 17, 13)
    const expected = Array.from({ length: 17 }, (_, n) => plainDispersion(rowOf(x, n), L))
    expect(maxError(edgeDispersion(x, L), expected)).toBeLessThan(1e-14)
  })

  it('shares out xᵀLx', async () => {
    const x = normalMatrix(4, 1, 13)
    const L = await laplacianOf(13)
    const product = spmv(L, x.data).reduce((sum, value, n) => sum + value * x.data[n], 0)
    let total = 0
    for (let i = 0; i < 13; i++) {
      for (let e = L.indptr[i]; e < L.indptr[i + 1]; e++) {
        if (L.indices[e] > i) total -= L.values[e] * (x.data[i] - x.data[L.indices[e]]) ** 2
      }
    }
    expect(Math.abs(total - product)).toBeLessThan(1e-13 * product)
  })

  it('lies between one over the number of edges and 1, whatever the scale and the shift', async () => {
    const L = await laplacianOf(7)
    const edges = (L.values.length - 7) / 2
    const vectors = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 7, maxLength: 7 })
    fc.assert(
      fc.property(vectors, fc.constantFrom(1, 2 ** 600, 2 ** -600), (v, scale) => {
        const of = (values: number[]) =>
          edgeDispersion({ data: Float64Array.from(values), rows: 1, cols: 7 }, L)[0]
        const dispersion = of(v)
        if (dispersion === 0) return
        expect(dispersion).toBeGreaterThanOrEqual((1 - 1e-14) / edges)
        expect(dispersion).toBeLessThanOrEqual(1)
        expect(of(v.map((value) => value * scale))).toBe(dispersion)
        expect(of(v.map((value) => value + 1000))).toBe(dispersion)
      }),
      { seed: 6, numRuns: 200 },
    )
  })

  it('names what does not fit', () => {
    expect(() => edgeDispersion(normalMatrix(1, 2, 5), path)).toThrow(
      'edgeDispersion: L must be [D, D] = [5, 5], got [3, 3]',
    )
    expect(() => edgeDispersion(rows(0, Number.NaN, 1), path)).toThrow('got NaN at row 0, column 1')
  })
})
