import { Random } from '@tau/tensor'
import { checkDense, checkInteger, type DenseMatrix } from './dense.ts'
import { GraphError } from './errors.ts'
import { qr } from './qr.ts'
import { multiply, randomizedSvd } from './svd.ts'
import { partOf, Watch, type WatchOptions } from './watch.ts'

/** random: onto random orthonormal directions;  pca: onto the principal directions;  rotated-pca: pca, then a random rotation. */
export type ReduceMethod = 'random' | 'pca' | 'rotated-pca'

export interface ReduceOptions extends WatchOptions {
  /** columns of the result */
  dim: number
  /** 'random' unless given */
  method?: ReduceMethod
  /** subtract the column means first; false unless given */
  center?: boolean
  /** 0 unless given */
  seed?: number
}

export interface Reduced extends DenseMatrix {
  data: Float64Array
  info: {
    method: ReduceMethod
    /** share of the squared elements of x (after centring) that is left */
    keptEnergy: number
  }
}

/** Embeddings of any width F → D columns: x [N, F] → [N, D], Y = X·Q.
 *
 *  random (the default): Q [F, D] has orthonormal columns, uniformly distributed (QR of a Gaussian matrix); for D > F orthonormal rows, so
 *  the features depend on each other. Keeps about D / F of the energy, and distances between items up to scale (Johnson–Lindenstrauss).
 *  pca: keeps the most energy any D directions can, but its score columns are mutually orthogonal, so every cosine between features is 0
 *  and a cosine graph over them is degenerate (all distances 1); use it for graphs over items.
 *  rotated-pca: as much energy as pca, and features that are correlated again. Both need D ≤ min(N, F).
 *  Throws GraphError for D out of range or x not finite; the signal's reason when it is aborted. */
export const reduceEmbeddings = (
  x: DenseMatrix,
  { dim, method = 'random', center = false, seed = 0, ...options }: ReduceOptions,
): Reduced => {
  checkDense('reduce', x)
  const source = center ? centred(x) : x
  const energy = sumOfSquares(source.data)
  if (energy === 0) {
    throw new GraphError(
      `reduce: some element must not be 0${center ? ' after centring' : ''}, got all zeros; check the data`,
    )
  }
  const reduced = project(source, dim, method, seed, options)
  return { ...reduced, info: { method, keptEnergy: sumOfSquares(reduced.data) / energy } }
}

const project = (x: DenseMatrix, dim: number, method: ReduceMethod, seed: number, options: WatchOptions) => {
  const watch = new Watch(options)
  if (method === 'random') {
    return projected(
      x,
      randomBasis(x.cols, dim, seed, (share) => watch.step(share / 2)),
      watch,
      0.5,
    )
  }
  if (method !== 'pca' && method !== 'rotated-pca') {
    throw new GraphError(`reduce: method must be random, pca or rotated-pca, got '${method satisfies never}'`)
  }
  const most = Math.min(x.rows, x.cols)
  checkInteger(
    'reduce',
    'dim',
    dim,
    1,
    most,
    `${method} has ${most} directions; lower dim or use method 'random'`,
  )
  const { v } = randomizedSvd(x, { rank: dim, powerIterations: 4, seed, ...partOf(options, 0, 0.9) })
  const scores = projected(x, v, watch, 0.9)
  return method === 'pca' ? scores : multiply(scores, rotation(dim, seed))
}

/** x·directions, which is the share of the work from `from` on. */
const projected = (x: DenseMatrix, directions: DenseMatrix, watch: Watch, from: number) => {
  const scores = multiply(x, directions, (share) => watch.step(from + (1 - from) * share))
  watch.finish()
  return scores
}

/** Random directions [width, dim]: orthonormal columns, or rows where dim exceeds the width. */
export const randomBasis = (
  width: number,
  dim: number,
  seed: number,
  step?: (share: number) => void,
): DenseMatrix => {
  checkInteger('reduce', 'dim', dim, 1, 2 ** 20, 'choose the head dim')
  return randomOrthonormal(width, dim, new Random(seed), step)
}

/** A random rotation [dim, dim], from a stream of its own: `randomizedSvd` draws from the first. */
export const rotation = (dim: number, seed: number): DenseMatrix =>
  randomOrthonormal(dim, dim, new Random(seed, 1))

/** [rows, cols] with orthonormal columns, or orthonormal rows where there are more columns than rows. */
const randomOrthonormal = (
  rows: number,
  cols: number,
  random: Random,
  step?: (share: number) => void,
): DenseMatrix => {
  const tall = Math.max(rows, cols)
  const thin = Math.min(rows, cols)
  const data = Float64Array.from({ length: tall * thin }, () => random.gaussian())
  const { q } = qr({ data, rows: tall, cols: thin }, step)
  if (rows >= cols) return q
  const wide = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) wide[i * cols + j] = q.data[j * thin + i]
  return { data: wide, rows, cols }
}

const centred = ({ data, rows, cols }: DenseMatrix): DenseMatrix => {
  const mean = new Float64Array(cols)
  for (let n = 0; n < data.length; n++) mean[n % cols] += data[n] / rows
  return { data: Float64Array.from(data, (v, n) => v - mean[n % cols]), rows, cols }
}

const sumOfSquares = (data: ArrayLike<number>): number => {
  let sum = 0
  for (let n = 0; n < data.length; n++) sum += data[n] * data[n]
  return sum
}
