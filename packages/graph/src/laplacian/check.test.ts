import { describe, expect, it } from 'vitest'
import { csrFromCoo, csrFromDense, toCoo } from '../sparse/csr.ts'
import { normalMatrix } from '../testing.ts'
import { assertLaplacian, checkLaplacian } from './check.ts'
import { featureLaplacian, itemLaplacian } from './pipeline.ts'

const dense = (...data: number[]) => {
  const size = Math.sqrt(data.length)
  return csrFromDense({ data: Float64Array.from(data), rows: size, cols: size })
}

describe('checkLaplacian', () => {
  const x = normalMatrix(1, 23, 17)

  it('accepts D - W by a proof, and the symmetric normalisation by its eigenvalues', async () => {
    const plain = checkLaplacian(await featureLaplacian(x, { k: 4, sigma: 0.9 }), { size: 17 })
    expect(plain).toMatchObject({ ok: true, problems: [], psdMethod: 'gershgorin', symmetryError: 0 })
    const normalised = await featureLaplacian(x, { k: 4, sigma: 0.9, normalization: 'symmetric' })
    const verdict = checkLaplacian(normalised, { rowSums: 'any' })
    expect(verdict).toMatchObject({ ok: true, psdMethod: 'eigenvalues' })
    expect(Math.abs(verdict.minEigenvalue)).toBeLessThan(1e-14) // its null vector is D^1/2 · 1
    expect(checkLaplacian(normalised).problems[0]).toMatch(/^rows must sum to 0, got .* in row/)
  })

  it('rejects a random-walk Laplacian as not symmetric, with the place', async () => {
    const verdict = checkLaplacian(
      await featureLaplacian(x, { k: 4, sigma: 0.9, normalization: 'random-walk' }),
    )
    expect(verdict.ok).toBe(false)
    expect(verdict.problems[0]).toMatch(/^must be symmetric, got \|L\[\d+, \d+\] - L\[\d+, \d+\]\| = 0\.\d+/)
  })

  it('rejects the wrong size, also when not square', async () => {
    const L = await featureLaplacian(x, { k: 4, sigma: 0.9 })
    expect(checkLaplacian(L, { size: 64 }).problems).toEqual([
      'must be [64, 64], got [17, 17]; rebuild the manifold with that many dimensions',
    ])
    const flat = csrFromCoo({ nRows: 2, nCols: 3, row: [0], col: [2], value: [1] })
    expect(checkLaplacian(flat).problems[0]).toContain('must be square, got [2, 3]')
    expect(() => assertLaplacian('attention', L, { size: 64 })).toThrow(
      'attention: L must be [64, 64], got [17, 17]',
    )
    expect(() => assertLaplacian('attention', L, { size: 17 })).not.toThrow()
  })

  it('rejects an indefinite matrix with its eigenvalue', () => {
    // the adjacency of a path has the eigenvalues ±√2 and 0, and its rows do not sum to 0
    const verdict = checkLaplacian(dense(0, 1, 0, 1, 0, 1, 0, 1, 0), { rowSums: 'any' })
    expect(verdict.minEigenvalue).toBeCloseTo(-Math.SQRT2, 12)
    expect(verdict.problems[0]).toMatch(/^must be positive semidefinite, got an eigenvalue of -1\.414/)
  })

  it('estimates the smallest eigenvalue of a large matrix', async () => {
    const good = await itemLaplacian(normalMatrix(2, 601, 7), {
      k: 5,
      sigma: 0.5,
      normalization: 'symmetric',
    })
    expect(checkLaplacian(good, { rowSums: 'any' })).toMatchObject({ ok: true, psdMethod: 'power' })
    const { nRows, nCols, row, col, value } = toCoo(good)
    const shifted = csrFromCoo({
      nRows,
      nCols,
      row,
      col,
      value: value.map((v, n) => (row[n] === col[n] ? v - 0.5 : v)),
    })
    const verdict = checkLaplacian(shifted, { rowSums: 'any' })
    expect(verdict.ok).toBe(false)
    expect(verdict.minEigenvalue).toBeLessThan(-0.4) // it is -0.5, and the estimate comes from above
  })

  it('rejects what is not finite or not a Csr, without throwing', () => {
    expect(checkLaplacian(dense(1, Number.NaN, 0, 1)).problems[0]).toContain('must be finite')
    const broken = { ...dense(1, -1, -1, 1), indices: Int32Array.of(0, 5, 0, 1) }
    expect(checkLaplacian(broken).problems[0]).toContain('got 5 after 0 in row 0')
  })
})
