import { Random } from '@tau/tensor'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { multiply, transposed } from '../dense/multiply.ts'
import { matrixOf, type Points } from '../dense/points.ts'
import { qr } from '../dense/qr.ts'
import { checkOptions } from '../errors.ts'
import { addRow, type Csr, checkCsr, checkFinite, isCsr, transposeCsr } from '../sparse/csr.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'

type Dense = DenseMatrix & { data: Float64Array }

export interface SvdOptions extends WatchOptions {
  /** number of singular triplets, between 1 and min(rows, columns) */
  rank: number
  /** extra columns of the range finder, 10 unless given */
  oversample?: number
  /** power iterations, 2 unless given; each multiplies by A Aᵀ and so sharpens the spectrum */
  powerIterations?: number
  seed: number
}

/** Leading singular triplets: a ≈ u diag(s) vᵀ with u [rows, rank], s descending, v [columns, rank]. In each
 *  column of v the component of largest magnitude is positive. */
export interface TruncatedSvd {
  u: Dense
  s: Float64Array
  v: Dense
}

/** Randomised truncated SVD of a sparse or dense matrix. It is a range finder with seeded Gaussian vectors,
 *  power iterations with QR between them, and a small SVD by ml-matrix. It is exact up to rounding if rank +
 *  oversample reaches the smaller side.
 *  Throws GraphError for a matrix that is not well formed and finite, naming the place, and for settings out
 *  of range. Throws the signal's reason when it is aborted.
 *  Source: Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 53 (2011), algorithms
 *  4.4 and 5.1. */
export const randomizedSvd = (matrix: Csr | Points, options: SvdOptions): TruncatedSvd => {
  checkOptions('randomizedSvd', options, '{ rank, seed }')
  const { rank, oversample = 10, powerIterations = 2, seed, ...watched } = options
  const a = checkedMatrix(matrix)
  const [rows, cols] = 'indptr' in a ? [a.nRows, a.nCols] : [a.rows, a.cols]
  const smaller = Math.min(rows, cols)
  checkInteger('randomizedSvd', 'rank', rank, 1, smaller, `the matrix is [${rows}, ${cols}]`)
  checkInteger('randomizedSvd', 'oversample', oversample, 0, Number.MAX_SAFE_INTEGER, 'use 10')
  checkInteger('randomizedSvd', 'powerIterations', powerIterations, 0, 100, 'use 2')
  const width = Math.min(smaller, rank + oversample)
  const times = multiplier(a)
  const timesTransposed = multiplier('indptr' in a ? transposeCsr(a) : transposed(a))
  const random = new Random(seed)
  const omega = Float64Array.from({ length: cols * width }, () => random.gaussian())
  const watch = new Watch(watched)
  const products = 2 + 2 * powerIterations
  let done = 0
  const step = (share: number): void => watch.step((done + share) / products)
  const product = (multiplied: Multiplier, x: Dense): Dense => {
    const out = multiplied(x, step)
    done++
    return out
  }
  let basis = qr(product(times, { data: omega, rows: cols, cols: width }), () => step(0)).q
  for (let n = 0; n < powerIterations; n++) {
    const image = product(times, product(timesTransposed, basis))
    basis = qr(image, () => step(0)).q
  }
  // Bᵀ = Aᵀ Q = Q₂ R, R = U₁ S V₁ᵀ, so A ≈ Q B = (Q V₁) S (Q₂ U₁)ᵀ
  const small = qr(product(timesTransposed, basis), () => step(0))
  const decomposition = new SingularValueDecomposition(Matrix.from1DArray(width, width, small.r.data), {
    autoTranspose: true,
  })
  const u = multiply(basis, fromMatrix(decomposition.rightSingularVectors, rank))
  const v = multiply(small.q, fromMatrix(decomposition.leftSingularVectors, rank))
  fixSigns(u, v)
  watch.finish()
  return { u, s: Float64Array.from(decomposition.diagonal.slice(0, rank)), v }
}

const checkedMatrix = (a: Csr | Points): Csr | DenseMatrix => {
  if (!isCsr(a)) return matrixOf('randomizedSvd', a)
  checkCsr('randomizedSvd', a)
  checkFinite('randomizedSvd', a)
  return a
}

/** Computes a·x. Before each row, `step` is called with the share that is done. */
type Multiplier = (x: DenseMatrix, step: (share: number) => void) => Dense

const multiplier = (a: Csr | DenseMatrix): Multiplier =>
  'indptr' in a ? (x, step) => multiplySparse(a, x, step) : (x, step) => multiply(a, x, step)

const multiplySparse = (a: Csr, x: DenseMatrix, step: (share: number) => void): Dense => {
  const data = new Float64Array(a.nRows * x.cols)
  for (let i = 0; i < a.nRows; i++) {
    step(i / a.nRows)
    addRow(a, i, x, data)
  }
  return { data, rows: a.nRows, cols: x.cols }
}

/** The first columns of a matrix of ml-matrix. */
const fromMatrix = (matrix: Matrix, cols: number): Dense => {
  const data = new Float64Array(matrix.rows * cols)
  for (let i = 0; i < matrix.rows; i++) for (let j = 0; j < cols; j++) data[i * cols + j] = matrix.get(i, j)
  return { data, rows: matrix.rows, cols }
}

const fixSigns = (u: Dense, v: Dense): void => {
  for (let j = 0; j < v.cols; j++) {
    let largest = 0
    for (let i = 0; i < v.rows; i++) {
      const value = v.data[i * v.cols + j]
      if (Math.abs(value) > Math.abs(largest)) largest = value
    }
    if (largest >= 0) continue
    for (const { data, rows, cols } of [u, v]) for (let i = 0; i < rows; i++) data[i * cols + j] *= -1
  }
}
