import { Random } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { EigenvalueDecomposition } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { type Csr, csrFromDense } from '../csr.ts'
import { toMlMatrix } from '../sparse/ml-matrix.ts'
import { normalMatrix } from '../testing.ts'
import { denseEigenpairs } from './dense.ts'
import { expectEigenpairs } from './testing.ts'

const symmetric = (size: number, element: (i: number, j: number) => number): Csr => {
  const data = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) data[i * size + j] = data[j * size + i] = element(i, j)
  }
  return csrFromDense({ data, rows: size, cols: size })
}
const random = (size: number, seed = 1): Csr => {
  const { data } = normalMatrix(seed, size, size)
  return symmetric(size, (i, j) => data[i * size + j])
}

describe('denseEigenpairs', () => {
  it.each([1, 2, 3, 4, 5, 7, 31, 64, 151])('are those of ml-matrix, n=%i', async (size) => {
    const m = random(size, size)
    const pairs = await denseEigenpairs(m)
    const { realEigenvalues } = new EigenvalueDecomposition(toMlMatrix(m), { assumeSymmetric: true })
    const norm = Math.max(...realEigenvalues.map(Math.abs))
    // backward errors of some ulp of the norm, times √n or so
    expectNear(
      pairs.values,
      realEigenvalues.toSorted((a, b) => a - b),
      { atol: 1e-14 * norm * Math.sqrt(size) },
    )
    expectEigenpairs(m, pairs, 1e-14 * norm * Math.sqrt(size))
  })

  const special: Record<string, Csr> = {
    'all zero': symmetric(5, () => 0),
    'the identity': symmetric(6, (i, j) => Number(i === j)),
    diagonal: symmetric(7, (i, j) => (i === j ? 3 - i : 0)),
    'of rank one': symmetric(9, (i, j) => (i + 1) * (j + 1)),
    'of all ones': symmetric(17, () => 1),
    'a path': symmetric(23, (i, j) => (i === j ? 2 : i === j + 1 ? -1 : 0)),
    'two blocks': symmetric(12, (i, j) => (i < 5 === j < 5 ? 1 / (1 + i + j) : 0)),
    'from 1 to 1e-300': symmetric(8, (i, j) => (i === j ? 10 ** (-40 * i) : 0)),
    'graded and full': symmetric(8, (i, j) => 10 ** (-3 * (i + j))),
  }
  it.each(Object.entries(special))('of a matrix that is %s', async (_, m) => {
    const pairs = await denseEigenpairs(m)
    const norm = Math.max(...pairs.values.map(Math.abs))
    expectEigenpairs(m, pairs, 4e-15 * norm * Math.sqrt(m.nRows))
    const { realEigenvalues } = new EigenvalueDecomposition(toMlMatrix(m), { assumeSymmetric: true })
    expectNear(
      pairs.values,
      realEigenvalues.toSorted((a, b) => a - b),
      { atol: 1e-14 * norm },
    )
  })

  it('scale with the matrix, to the ends of f64', async () => {
    const m = random(11)
    const { values } = await denseEigenpairs(m)
    for (const scale of [2 ** 900, 2 ** -900]) {
      const scaled = await denseEigenpairs({ ...m, values: m.values.map((value) => value * scale) })
      expectNear(
        scaled.values.map((value) => value / scale),
        values,
        { atol: 1e-13 },
      )
    }
  })

  it('tell how far they are, and stop midway', async () => {
    const m = random(500)
    const seen: number[] = []
    await denseEigenpairs(m, { onProgress: ({ fraction }) => seen.push(fraction) })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(1)
    const early: number[] = []
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 1)
    const run = denseEigenpairs(m, {
      signal: stop.signal,
      onProgress: ({ fraction }) => early.push(fraction),
    })
    await expect(run).rejects.toThrow('enough')
    expect(early.length).toBeGreaterThan(0)
    expect(early.at(-1)).toBeLessThan(1)
  })

  it('agree with themselves in another order of rows', async () => {
    const size = 40
    const draw = new Random(7)
    const order = Array.from({ length: size }, (_, i) => i)
    for (let i = size - 1; i > 0; i--) {
      const j = draw.integer(i + 1)
      ;[order[i], order[j]] = [order[j], order[i]]
    }
    const { data } = normalMatrix(3, size, size)
    const one = await denseEigenpairs(symmetric(size, (i, j) => data[Math.max(i, j) * size + Math.min(i, j)]))
    const other = await denseEigenpairs(
      symmetric(size, (i, j) => {
        const [a, b] = [order[i], order[j]]
        return data[Math.max(a, b) * size + Math.min(a, b)]
      }),
    )
    expectNear(other.values, one.values, { atol: 1e-13 })
  })
})
