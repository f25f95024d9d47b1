import type { DenseMatrix } from '../dense/matrix.ts'
import { multiply } from '../dense/multiply.ts'
import { matrixOf, type Points } from '../dense/points.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'
import { basisOf, type ReduceMethod } from './basis.ts'
import { gramOf } from './gram.ts'

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
    /** share of the squared elements of x (after centring) that is kept */
    keptEnergy: number
  }
}

/** Reduces embeddings of any width F to D columns: x [N, F] → Y = X·Q [N, D].
 *
 *  random (the default): Q [F, D] has uniformly distributed orthonormal columns (QR of a Gaussian matrix). It
 *  keeps about D / F of the energy, and the distances between items up to a factor (Johnson–Lindenstrauss).
 *  If D > F its rows are orthonormal, and the features depend on each other.
 *  pca: keeps the most energy that D directions can keep. Its score columns are mutually orthogonal, so every
 *  cosine between features is 0. A cosine graph over them is degenerate, with all distances 1. Use it for
 *  graphs over items.
 *  rotated-pca: keeps as much energy as pca, and its features are correlated again.
 *  The two pca methods need D ≤ min(N, F), and XᵀX with its eigenvectors. ml-matrix computes these in one go:
 *  0.3 s for F = 512, 2.4 s for 1024.
 *  Throws GraphError for D out of range or x not finite, and the signal's reason when it is aborted. */
export const reduceEmbeddings = (embeddings: Points, options: ReduceOptions): Reduced => {
  checkOptions('reduceEmbeddings', options, '{ dim }')
  const { dim, method = 'random', center = false, seed = 0, ...watched } = options
  const x = matrixOf('reduceEmbeddings', embeddings)
  const watch = new Watch(watched)
  const source = center ? centred(x) : x
  const energy = sumOfSquares(source.data)
  if (energy === 0) {
    throw new GraphError(
      `reduce: at least one element must differ from 0${center ? ' after centring' : ''}, got all zeros; check the data`,
    )
  }
  // A manifold of these embeddings uses the same directions.
  const gram = () => gramOf(x, { center, step: (share) => watch.step(0.4 * share) })
  const basis = basisOf(x.cols, gram, { dim, method, seed })
  watch.step(0.5)
  const reduced = multiply(source, basis, (share) => watch.step(0.5 + 0.5 * share))
  watch.finish()
  return { ...reduced, info: { method, keptEnergy: sumOfSquares(reduced.data) / energy } }
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
