import type { DenseMatrix } from '../dense/matrix.ts'
import { featureLaplacian } from '../laplacian/pipeline.ts'
import { type Csr, valueAt } from '../sparse/csr.ts'
import { fitTaumode, type TauPolicy } from '../taumode/taumode.ts'
import { normalMatrix } from '../testing.ts'
import type { TaumodeHit } from './taumode-index.ts'

/** A Laplacian over `dim` features of normal vectors. */
export const laplacianOf = (dim: number): Promise<Csr> =>
  featureLaplacian(normalMatrix(8, 29, dim), { k: 3, sigma: 0.9 })

export const rowOf = ({ data, cols }: DenseMatrix, row: number): Float64Array =>
  Float64Array.from(data.subarray(row * cols, (row + 1) * cols))

/** G by its definition, pair by pair. */
export const plainDispersion = (x: ArrayLike<number>, laplacian: Csr): number => {
  const energies: number[] = []
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const weight = Math.max(0, -valueAt(laplacian, i, j))
      energies.push(weight * (x[i] - x[j]) ** 2)
    }
  }
  const total = energies.reduce((sum, energy) => sum + energy, 0)
  return total === 0 ? 0 : energies.reduce((sum, energy) => sum + (energy / total) ** 2, 0)
}

/** λ of every row by the definitions. */
export const plainLambdas = (x: DenseMatrix, laplacian: Csr, policy: TauPolicy, weight: number): number[] => {
  const { lambda } = fitTaumode(x, laplacian, { policy })
  return Array.from(lambda, (bounded, n) =>
    weight === 0 ? bounded : (1 - weight) * bounded + weight * plainDispersion(rowOf(x, n), laplacian),
  )
}

/** All items sorted by score, computed in f64 loops. */
export const plainSearch = (
  items: readonly { id: number; vector: ArrayLike<number>; lambda: number }[],
  query: { vector: ArrayLike<number>; lambda: number },
  alpha: number,
  beta: number,
): TaumodeHit[] => {
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, value, n) => sum + value * b[n], 0)
  const hits = items.map(({ id, vector, lambda }) => {
    const lengths = Math.sqrt(dot(vector, vector)) * Math.sqrt(dot(query.vector, query.vector))
    const cosine = lengths === 0 ? 0 : dot(vector, query.vector) / lengths
    const proximity = 1 / (1 + Math.abs(lambda - query.lambda))
    return { id, score: alpha * cosine + beta * proximity, cosine, proximity, lambda }
  })
  return hits.sort((a, b) => b.score - a.score || a.id - b.id)
}
