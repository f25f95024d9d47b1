import { fileURLToPath } from 'node:url'
import { Random } from '@tau/tensor'
import type { OracleArray } from '@tau/testing/oracle'
import type { DenseMatrix } from './dense/matrix.ts'

/** A folder with a manifold in ArrowSpace's schema, written by Arrow's Parquet writer.
 *  tools/fixtures/arrow-manifold.mjs made it. */
export const ARROW_MANIFOLD = fileURLToPath(new URL('./fixtures/manifold', import.meta.url))

export const matrixOf = ({ shape, data }: OracleArray): DenseMatrix => ({
  data: Float64Array.from(data),
  rows: shape[0],
  cols: shape[1],
})

/** Standard normal matrix [rows, cols]. */
export const normalMatrix = (
  seed: number,
  rows: number,
  cols: number,
): DenseMatrix & { data: Float64Array } => {
  const random = new Random(seed)
  return { data: Float64Array.from({ length: rows * cols }, () => random.gaussian()), rows, cols }
}

/** Largest |a − b|. NaN on either side, or unequal lengths, give Infinity. */
export const maxError = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let worst = 0
  for (let i = 0; i < a.length; i++) {
    const error = Math.abs(a[i] - b[i])
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
  }
  return worst
}
