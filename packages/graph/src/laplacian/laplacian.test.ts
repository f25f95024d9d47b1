import { expectOracle, itMatchesOracle } from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { affinity, impliedDistance, kernelWeight } from '../adjacency/affinity.ts'
import { adjacencyOf } from '../adjacency/pipeline.ts'
import { strongestHalf } from '../adjacency/strongest-half.ts'
import type { Metric } from '../neighbors/distance.ts'
import { csrFromCoo, csrFromDense, diagonal, spmv, symmetryError, toCoo, toDense } from '../sparse/csr.ts'
import { matrixOf, maxError, normalMatrix } from '../testing.ts'
import { degrees, laplacian, type Normalization } from './laplacian.ts'
import { featureLaplacian, type GraphLaplacianOptions, itemLaplacian } from './pipeline.ts'

/** Path 0 - 1 - 2 with weights 1 and 3, and node 3 alone. */
const path = csrFromDense({
  data: Float64Array.of(0, 1, 0, 0, 1, 0, 3, 0, 0, 3, 0, 0, 0, 0, 0, 0),
  rows: 4,
  cols: 4,
})

describe('laplacian', () => {
  it('is D - W, with a zero row for an isolated node', () => {
    const L = laplacian(path)
    expect([...toDense(L).data]).toEqual(
      [1, -1, 0, 0, -1, 4, -3, 0, 0, -3, 3, 0, 0, 0, 0, 0].map((v) => v + 0),
    )
    expect(toCoo(L).row.filter((r, n) => r === toCoo(L).col[n])).toHaveLength(4)
  })

  it('is I - D^-1/2 W D^-1/2 when symmetric', () => {
    const L = laplacian(path, { normalization: 'symmetric' })
    const expected = [
      1,
      -1 / 2,
      0,
      0,
      -1 / 2,
      1,
      -3 / Math.sqrt(12),
      0,
      0,
      -3 / Math.sqrt(12),
      1,
      0,
      0,
      0,
      0,
      0,
    ]
    expect(maxError(toDense(L).data, expected)).toBeLessThan(1e-15)
    expect(symmetryError(L).error).toBe(0)
  })

  it('is I - D^-1 W for the random walk', () => {
    const L = laplacian(path, { normalization: 'random-walk' })
    expect(
      maxError(toDense(L).data, [1, -1, 0, 0, -0.25, 1, -0.75, 0, 0, -1, 1, 0, 0, 0, 0, 0]),
    ).toBeLessThan(1e-15)
  })

  it('ignores loops, as SciPy does', () => {
    const looped = csrFromDense({ data: Float64Array.of(5, 2, 2, 7), rows: 2, cols: 2 })
    expect([...toDense(laplacian(looped)).data]).toEqual([2, -2, -2, 2])
    expect(degrees(looped)).toEqual(Float64Array.of(2, 2))
  })

  it('returns the scaling of the nodes on request', () => {
    const diagonalOf = (normalization: Normalization) => [
      ...laplacian(path, { normalization, returnDiagonal: true }).diagonal,
    ]
    expect(diagonalOf('none')).toEqual([1, 4, 3, 0])
    expect(diagonalOf('symmetric')).toEqual([1, 2, Math.sqrt(3), 1])
    expect(diagonalOf('random-walk')).toEqual([1, 4, 3, 1])
  })

  it('names what is wrong with an adjacency', () => {
    const bad = (data: number[], rows = 2) =>
      laplacian(csrFromDense({ data: Float64Array.from(data), rows, cols: 2 }))
    expect(() => bad([0, 1, 2, 0])).toThrow('adjacency must be symmetric, got |W[0, 1] - W[1, 0]| = 1')
    expect(() => bad([0, -1, -1, 0])).toThrow('got -1 at (0, 1)')
    expect(() => bad([0, Number.NaN, 1, 0])).toThrow('got NaN at (0, 1)')
    expect(() => bad([0, 1, 1, Number.POSITIVE_INFINITY])).toThrow('got Infinity at (1, 1)')
    expect(() => laplacian({ ...path, indices: path.indices.map((j) => j + 2) })).toThrow(
      'columns of a row must ascend within 0 … 3, got 4 after 2 in row 1',
    )
    expect(() => bad([0, 1, 1, 0, 0, 0], 3)).toThrow('must be square, got [3, 2]')
    expect(() => laplacian(path, { normalization: 'sym' as Normalization })).toThrow("got 'sym'")
  })
})

describe('weights', () => {
  it('have their hand-derived values', () => {
    expect(kernelWeight(0.5, { sigma: 0.5 })).toBe(0.5)
    expect(kernelWeight(1, { sigma: 0.5, p: 2 })).toBe(0.2) // 1 / (1 + 2²)
    expect(kernelWeight(0, { sigma: 0.5, p: 3 })).toBe(1)
    expect(kernelWeight(2, { kernel: 'gaussian', sigma: 1 })).toBeCloseTo(Math.exp(-2), 15)
    expect(impliedDistance(kernelWeight(0.7, { sigma: 0.3, p: 1.8 }), 0.3, 1.8)).toBeCloseTo(0.7, 14)
  })

  it('refuse a kernel out of range', () => {
    const one = csrFromDense([[0]])
    expect(() => affinity(one, { sigma: 0 })).toThrow(
      'affinity: sigma must be a positive finite number, got 0',
    )
    expect(() => affinity(one, { sigma: 1, p: -2 })).toThrow('p must be a positive finite number, got -2')
  })

  it('are joined by union, keep the larger direction, drop the floor', () => {
    // 1 / (1 + d) is 1/2, 1/4, 3/4, and nearly 0
    const distances = csrFromCoo({
      nRows: 4,
      nCols: 4,
      row: [0, 0, 1, 2, 3],
      col: [1, 2, 0, 3, 2],
      value: [1, 3, 1 / 3, 1e12, 1e13],
    })
    const { adjacency } = adjacencyOf(distances, { sigma: 1, p: 1 })
    expect(toCoo(adjacency)).toMatchObject({
      row: Int32Array.of(0, 0, 1, 2),
      col: Int32Array.of(1, 2, 0, 0),
      value: Float64Array.of(0.75, 0.25, 0.75, 0.25),
    })
  })

  it('sparsify to the better half by w √(deg deg), only above 10 per row', () => {
    const complete = (n: number) => ({
      nRows: n,
      nCols: n,
      indptr: Int32Array.from({ length: n + 1 }, (_, i) => i * (n - 1)),
      indices: Int32Array.from({ length: n * (n - 1) }, (_, e) => {
        const i = Math.floor(e / (n - 1))
        const j = e % (n - 1)
        return j < i ? j : j + 1
      }),
      values: Float64Array.from({ length: n * (n - 1) }, (_, e) => ((e % (n - 1)) + 1) / n), // they rise along a row
    })
    expect(strongestHalf(complete(11))).toEqual(complete(11)) // each row has 10 entries, which is not above 10
    const half = strongestHalf(complete(13))
    expect([...half.indptr]).toEqual(Array.from({ length: 14 }, (_, i) => i * 6))
    expect([...half.indices.slice(0, 6)]).toEqual([7, 8, 9, 10, 11, 12])
  })
})

describe('featureLaplacian', () => {
  const options = fc.record({
    k: fc.integer({ min: 1, max: 10 }),
    eps: fc.constantFrom(null, 0.4, 0.9),
    metric: fc.constantFrom<Metric>('cosine', 'cosine-unrectified', 'euclidean'),
    kernel: fc.constantFrom<'rational' | 'gaussian'>('rational', 'gaussian'),
    sigma: fc.constantFrom(0.05, 0.5, 2),
    p: fc.constantFrom(1, 1.8, 3),
    sparsify: fc.boolean(),
  })

  it('is symmetric, has L·1 = 0 and xᵀLx ≥ 0, whatever the options', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.nat(1000), async (o, seed) => {
        const L = await featureLaplacian(normalMatrix(seed, 5, 11), o)
        expect(symmetryError(L).error).toBe(0)
        const scale = Math.max(...diagonal(L), 1e-300)
        // 11 roundings of terms that are at most the degree
        expect(Math.max(...spmv(L, new Float64Array(11).fill(1)).map(Math.abs))).toBeLessThanOrEqual(
          3e-15 * scale,
        )
        const x = normalMatrix(seed + 1, 11, 1).data
        const energy = spmv(L, x).reduce((sum, v, i) => sum + v * x[i], 0)
        expect(energy).toBeGreaterThanOrEqual(-1e-13 * scale)
        const N = await featureLaplacian(normalMatrix(seed, 5, 11), { ...o, normalization: 'symmetric' })
        expect(symmetryError(N).error).toBe(0)
        expect(spmv(N, x).reduce((sum, v, i) => sum + v * x[i], 0)).toBeGreaterThanOrEqual(-1e-13)
      }),
      { seed: 3, numRuns: 150 },
    )
  })

  it('over items equals the same over the transposed features', async () => {
    const x = normalMatrix(4, 7, 13)
    const xT = { data: new Float64Array(91), rows: 13, cols: 7 }
    for (let i = 0; i < 7; i++) for (let j = 0; j < 13; j++) xT.data[j * 7 + i] = x.data[i * 13 + j]
    const o = { k: 3, sigma: 0.5 }
    expect(await itemLaplacian(x, o)).toEqual(await featureLaplacian(xT, o))
  })

  interface Params extends Omit<GraphLaplacianOptions, 'metric' | 'normalization'> {
    metric: string
    normalization: 'none' | 'sym' | 'rw'
  }
  const normalizations = { none: 'none', sym: 'symmetric', rw: 'random-walk' } as const
  itMatchesOracle<
    { x: OracleArray; params: Params },
    { size: number; row: OracleArray; col: OracleArray; value: OracleArray }
  >('laplacian', async ({ inputs, expected, tolerance }) => {
    const L = await featureLaplacian(matrixOf(inputs.x), {
      ...inputs.params,
      metric: inputs.params.metric.replace('_', '-') as Metric,
      normalization: normalizations[inputs.params.normalization],
    })
    const { row, col, value } = toCoo(L)
    expect([L.nRows, L.nCols]).toEqual([expected.size, expected.size])
    expectOracle({ row, col, value }, expected, tolerance, 'f64')
  })
})
