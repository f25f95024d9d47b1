import { describe, expect, it } from 'vitest'
import { GraphError } from '../errors.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { csrFromDense } from '../sparse/csr.ts'
import { laplacianSpectrum } from './laplacian-spectrum.ts'

/** Complete graphs of `size` nodes each, joined to a chain by edges of weight `bridge`. */
const cliques = (count: number, size: number, bridge: number) => {
  const n = count * size
  const data = new Float64Array(n * n)
  const join = (i: number, j: number, weight: number) => {
    data[i * n + j] = data[j * n + i] = weight
  }
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) join(c * size + i, c * size + j, 1)
    if (c > 0 && bridge > 0) join(c * size, c * size - 1, bridge)
  }
  return laplacian(csrFromDense({ data, rows: n, cols: n }))
}

describe('laplacianSpectrum', () => {
  it('has all eigenvalues of a small graph: a path of 5 nodes', async () => {
    const data = new Float64Array(25)
    for (let i = 0; i < 4; i++) data[i * 5 + i + 1] = data[(i + 1) * 5 + i] = 1
    const { values, isWhole, eigengap, fiedler } = await laplacianSpectrum(
      laplacian(csrFromDense({ data, rows: 5, cols: 5 })),
    )
    expect(isWhole).toBe(true)
    // 2 − 2 cos(πk/5); eigenvectors cos(πk(i + ½)/5)
    for (let k = 0; k < 5; k++) expect(values[k]).toBeCloseTo(2 - 2 * Math.cos((Math.PI * k) / 5), 12)
    for (let i = 0; i < 5; i++)
      expect(Math.abs(fiedler![i])).toBeCloseTo(
        Math.abs(Math.cos((Math.PI * (i + 0.5)) / 5)) * Math.sqrt(2 / 5),
        12,
      )
    // The first three values are 0, 0.38 and 1.38, so the second gap is the largest.
    expect(eigengap!.clusters).toBe(2)
    expect(eigengap!.gap).toBeCloseTo(1, 12)
  })

  it('finds as many clusters as there are weakly joined cliques, and the Fiedler vector cuts between them', async () => {
    const { eigengap, fiedler } = await laplacianSpectrum(cliques(3, 7, 0.01))
    expect(eigengap!.clusters).toBe(3)
    expect(Math.sign(fiedler![0])).toBe(-Math.sign(fiedler![20]))
  })

  it('has no Fiedler vector if the graph is not connected', async () => {
    const { values, eigengap, fiedler } = await laplacianSpectrum(cliques(3, 7, 0))
    expect(values.filter((value) => Math.abs(value) < 1e-12)).toHaveLength(3)
    expect([eigengap!.clusters, fiedler]).toEqual([3, undefined])
  })

  it('computes the 64 smallest of more than 512 rows', async () => {
    const { values, isWhole, eigengap, fiedler } = await laplacianSpectrum(cliques(5, 103, 0.5))
    expect([values.length, isWhole, eigengap!.clusters, fiedler!.length]).toEqual([64, false, 5, 515])
    expect(Math.abs(values[0])).toBeLessThan(1e-9)
  })

  it('takes a single node, and refuses what is not symmetric', async () => {
    const one = csrFromDense({ data: Float64Array.of(1), rows: 1, cols: 1 })
    expect(await laplacianSpectrum(one)).toMatchObject({ eigengap: undefined, fiedler: undefined })
    const skew = csrFromDense({ data: Float64Array.of(1, -1, 0, 1), rows: 2, cols: 2 })
    await expect(laplacianSpectrum(skew)).rejects.toThrow(GraphError)
  })
})
