import { expectNear } from '@tau/testing'
import { expect } from 'vitest'
import { multiply } from '../dense/multiply.ts'
import { type Csr, csrFromCoo, spmm } from '../sparse/csr.ts'
import type { Eigenpairs } from './eigenpairs.ts'

/** Two nodes and a weight. */
export type Edge = readonly [number, number, number]

/** Symmetric adjacency. The weights of an edge that is listed twice are added. */
export const graphOf = (n: number, edges: readonly Edge[]): Csr =>
  csrFromCoo({
    nRows: n,
    nCols: n,
    row: edges.flatMap((edge) => edge.slice(0, 2)),
    col: edges.flatMap(([i, j]) => [j, i]),
    value: edges.flatMap(([, , w]) => [w, w]),
  })
/** Expects M·V = V·diag(values), VᵀV = I, ascending values and correct residuals. */
export const expectEigenpairs = (
  m: Csr,
  { values, vectors, residuals }: Eigenpairs,
  tolerance: number,
): void => {
  const image = spmm(m, vectors).data
  const scaled = vectors.data.map((v, n) => v * values[n % vectors.cols])
  for (let j = 0; j < vectors.cols; j++) {
    let square = 0
    for (let n = j; n < image.length; n += vectors.cols) square += (image[n] - scaled[n]) ** 2
    expect(Math.abs(Math.sqrt(square) - residuals[j])).toBeLessThan(1e-14)
    expect(residuals[j]).toBeLessThanOrEqual(tolerance)
  }
  const transposed = new Float64Array(vectors.data.length)
  for (let n = 0; n < transposed.length; n++) {
    transposed[(n % vectors.cols) * vectors.rows + Math.floor(n / vectors.cols)] = vectors.data[n]
  }
  const gram = multiply({ data: transposed, rows: vectors.cols, cols: vectors.rows }, vectors).data
  const identity = gram.map((_, n) => (n % (vectors.cols + 1) === 0 ? 1 : 0))
  expectNear(gram, identity, { atol: 1e-12 })
  expect([...values]).toEqual([...values].sort((a, b) => a - b))
}
