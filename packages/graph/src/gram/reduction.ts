import type { DenseMatrix } from '../dense/matrix.ts'
import { multiply, transposed } from '../dense/multiply.ts'
import { GraphError } from '../errors.ts'
import { basisOf, type ReduceMethod } from './basis.ts'
import type { Gram } from './gram.ts'

/** Directions of a reduction and the Gram matrix of what it leaves: Y = X·Q. */
export interface Reduction {
  /** Q [width, dim]; undefined where the features stay as they are */
  basis: DenseMatrix | undefined
  gram: Gram
  /** trace(YᵀY) / trace(XᵀX): the share of the squared elements that is left */
  keptEnergy: number
}

/** Reduces features [·, F] to D of them, knowing XᵀX only: YᵀY = Qᵀ(XᵀX)Q, with the Q of `basisOf`;  none: F must be D. Throws GraphError
 *  for D out of range, or nothing but zeros. */
export const reduceGram = (
  gram: Gram,
  { dim, method, seed }: { dim: number; method: ReduceMethod | 'none'; seed: number },
): Reduction => {
  const energy = trace(gram)
  if (energy === 0) {
    throw new GraphError(
      'reduce: some element must not be 0, got all zeros, or all rows equal and centred; check the data',
    )
  }
  if (method === 'none') {
    if (gram.cols !== dim) {
      throw new GraphError(
        `buildManifold: with reduce 'none' the width must be dim, got width ${gram.cols} and dim ${dim}; use reduce 'random'`,
      )
    }
    return { basis: undefined, gram, keptEnergy: 1 }
  }
  const basis = basisOf(gram.cols, () => gram, { dim, method, seed })
  const reduced = projected(gram, basis)
  return { basis, gram: reduced, keptEnergy: trace(reduced) / energy }
}

const projected = ({ rows, cols, products, mean, scale }: Gram, basis: DenseMatrix): Gram => {
  const half = multiply({ data: products, rows: cols, cols }, basis) // [F, F] · [F, D]
  const { data } = multiply(transposed(basis), half) // [D, F] · [F, D]
  const dim = basis.cols
  for (let i = 0; i < dim; i++) for (let j = 0; j < i; j++) data[j * dim + i] = data[i * dim + j]
  return {
    ...{ rows, cols: dim, products: data, scale },
    mean: multiply({ data: mean, rows: 1, cols }, basis).data,
  }
}

const trace = ({ products, cols }: Gram): number => {
  let sum = 0
  for (let j = 0; j < cols; j++) sum += products[j * cols + j]
  return sum
}
