import { expectOracle, itMatchesOracle } from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { laplacian } from '../laplacian/laplacian.ts'
import { featureLaplacian } from '../laplacian/pipeline.ts'
import { csrFromCoo, csrFromDense, toDense } from '../sparse/csr.ts'
import { matrixOf, maxError, normalMatrix } from '../testing.ts'
import {
  fitTaumode,
  rayleighEnergies,
  TAU_FLOOR,
  type TauPolicy,
  tauFromComponents,
  tauFromEnergies,
} from './taumode.ts'

/** Path 0 - 1 - 2: eigenvalues 0, 1, 3. */
const chain = laplacian(csrFromDense({ data: Float64Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0), rows: 3, cols: 3 }))
const rows = (...data: number[]) => ({ data: Float64Array.from(data), rows: data.length / 3, cols: 3 })

describe('rayleighEnergies', () => {
  it('is the eigenvalue on an eigenvector', () => {
    const energy = rayleighEnergies(rows(1, 1, 1, 1, 0, -1, 1, -2, 1), chain, 0)
    expect(maxError(energy, [0, 1, 3])).toBeLessThan(1e-15)
  })

  it('adds eps to the denominator', () => {
    expect(rayleighEnergies(rows(1, 0, -1), chain, 2)[0]).toBe(0.5) // 2 / (2 + 2)
  })

  it('is 0 for the zero vector, also with eps 0', () => {
    expect([...rayleighEnergies(rows(0, 0, 0), chain)]).toEqual([0])
    expect([...rayleighEnergies(rows(0, 0, 0), chain, 0)]).toEqual([0])
  })

  it('survives squares outside the range of f64', () => {
    const energy = rayleighEnergies(rows(1e300, -2e300, 1e300, 1e-300, -2e-300, 1e-300), chain, 0)
    expect(maxError(energy, [3, 3])).toBeLessThan(1e-14)
    expect(rayleighEnergies(rows(1e-300, -2e-300, 1e-300), chain, 1e-6)[0]).toBe(0) // eps outweighs xᵀx
  })

  it('passes NaN on', () => {
    expect(rayleighEnergies(rows(1, Number.NaN, 0, 1, 0, -1), chain, 0)).toEqual(
      Float64Array.of(Number.NaN, 1),
    )
  })

  it('is the same for Csr and dense L and for f32 x', async () => {
    const L = await featureLaplacian(normalMatrix(1, 19, 11), { k: 3, sigma: 0.7 })
    const x = normalMatrix(2, 7, 11)
    expect(maxError(rayleighEnergies(x, toDense(L)), rayleighEnergies(x, L))).toBeLessThan(1e-14)
    const single = { ...x, data: Float32Array.from(x.data) }
    expect(maxError(rayleighEnergies(single, L), rayleighEnergies(x, L))).toBeLessThan(1e-5)
  })

  it('names both sizes when L does not fit', () => {
    expect(() => rayleighEnergies(normalMatrix(1, 2, 5), chain)).toThrow(
      'L must be [D, D] = [5, 5] for x of D = 5 columns, got [3, 3]',
    )
  })
})

describe('tau policies', () => {
  const tau = (energies: number[], policy: TauPolicy) => tauFromEnergies(energies, policy)
  it('have their hand-derived values', () => {
    expect(tau([4, 1, 3, 2], { name: 'median' })).toBe(2.5)
    expect(tau([5, 1, 2], { name: 'median' })).toBe(2)
    expect(tau([4, 1, 1], { name: 'mean' })).toBe(2)
    expect(tau([40, 10, 30, 20], { name: 'percentile', value: 0.5 })).toBe(30) // index floor(1.5 + 0.5)
    expect(tau([40, 10, 30, 20], { name: 'percentile', value: 0 })).toBe(10)
    expect(tau([40, 10, 30, 20], { name: 'percentile', value: 1 })).toBe(40)
    expect(tau([9], { name: 'fixed', value: 0.25 })).toBe(0.25)
  })

  it('leave out what is not finite and never go below the floor', () => {
    const odd = [Number.NaN, 3, Number.POSITIVE_INFINITY]
    for (const name of ['median', 'mean'] as const) {
      expect(tau(odd, { name })).toBe(3)
      expect(tau([], { name })).toBe(TAU_FLOOR)
      expect(tau([0, 0], { name })).toBe(TAU_FLOOR)
    }
    expect(tau([], { name: 'percentile', value: 0.5 })).toBe(TAU_FLOOR)
    expect(tau([1], { name: 'fixed', value: 1e-30 })).toBe(TAU_FLOOR)
  })

  it('refuse values out of range', () => {
    expect(() => tau([1], { name: 'fixed', value: 0 })).toThrow('got 0')
    expect(() => tau([1], { name: 'percentile', value: 1.5 })).toThrow('between 0 and 1, got 1.5')
    expect(() => tau([1], { name: 'reference-mean' })).toThrow(
      "must be one of energies (fixed, median, mean, percentile), got 'reference-mean'",
    )
  })

  it('of the reference use the components of each vector', () => {
    const x = rows(1, 5, 3, -4, -1, 2)
    expect([...tauFromComponents(x, { name: 'reference-median' }, 1e-6)]).toEqual([3, 1e-6])
    expect([...tauFromComponents(x, { name: 'reference-mean' }, 1e-6)]).toEqual([3, 1e-6])
  })
})

describe('fitTaumode', () => {
  it('is E / (E + tau)', () => {
    const { lambda, tau } = fitTaumode(rows(1, 0, -1, 1, -2, 1), chain, { policy: { name: 'mean' }, eps: 0 })
    expect(tau[0]).toBeCloseTo(2, 14)
    expect(maxError(lambda, [1 / 3, 3 / 5])).toBeLessThan(1e-15)
  })

  it('stays in [0, 1) and ignores scale, sign and permutation of the rows', async () => {
    const L = await featureLaplacian(normalMatrix(6, 23, 7), { k: 2, sigma: 0.7 })
    const vectors = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 7, maxLength: 7 })
    fc.assert(
      fc.property(vectors, (v) => {
        const x = { data: Float64Array.from(v), rows: 1, cols: 7 }
        const { lambda } = fitTaumode(x, L, { policy: { name: 'fixed', value: 0.3 } })
        expect(lambda[0]).toBeGreaterThanOrEqual(0)
        expect(lambda[0]).toBeLessThan(1)
        const scaled = { ...x, data: x.data.map((c) => -4 * c) }
        const size = Math.sqrt(v.reduce((sum, c) => sum + c * c, 0))
        if (size > 1) {
          // eps 1e-6 against xᵀx ≥ 1 moves E by 1e-6 E
          const moved = fitTaumode(scaled, L, { policy: { name: 'fixed', value: 0.3 } }).lambda
          expect(maxError(moved, lambda)).toBeLessThan(1e-6)
        }
      }),
      { seed: 4, numRuns: 300 },
    )
  })

  interface Inputs {
    laplacian: { size: number; row: OracleArray; col: OracleArray; value: OracleArray }
    eps: number
    policies: { name: string; value?: number }[]
    x: OracleArray
  }
  type PerPolicy<T> = Record<string, { tau: T; lambda: T }>
  itMatchesOracle<Inputs, { energy: OracleArray; policies: PerPolicy<OracleArray> }>(
    'taumode',
    ({ inputs, expected, tolerance }) => {
      const { size, row, col, value } = inputs.laplacian
      const L = csrFromCoo({ nRows: size, nCols: size, row: row.data, col: col.data, value: value.data })
      const x = matrixOf(inputs.x)
      const keys = Object.keys(expected.policies)
      expect(keys).toHaveLength(inputs.policies.length)
      for (const [n, policy] of inputs.policies.entries()) {
        const key = keys[n]
        expect(key.startsWith(policy.name)).toBe(true)
        const asOurs = { ...policy, name: policy.name.replace('_', '-') } as TauPolicy
        for (const matrix of [L, toDense(L)]) {
          const found = fitTaumode(x, matrix, { policy: asOurs, eps: inputs.eps })
          const { tau, lambda } = found
          expectOracle({ energy: found.energy }, expected, tolerance, 'f64')
          expectOracle({ tau, lambda }, expected.policies[key], tolerance.policies[key], 'f64')
        }
      }
    },
  )
})
