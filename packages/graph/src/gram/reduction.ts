import type { DenseMatrix } from '../dense/matrix.ts'
import { multiply, transposed } from '../dense/multiply.ts'
import { GraphError } from '../errors.ts'
import { basisOf, type ReduceMethod } from './basis.ts'
import type { Gram } from './gram.ts'

/** The directions of a reduction Y = X·Q, and the Gram matrix of Y. */
export interface Reduction {
  /** Q [width, dim]; undefined if the features are not reduced */
  basis: DenseMatrix | undefined
  gram: Gram
  /** trace(YᵀY) / trace(XᵀX): the share of the squared elements that is kept */
  keptEnergy: number
}

/** Reduces F features to D from XᵀX alone: YᵀY = Qᵀ(XᵀX)Q, with the Q of `basisOf`. With method none, F must
 *  be D. Throws GraphError for D out of range, and if all products are zero. */
export const reduceGram = (
  gram: Gram,
  { dim, method, seed }: { dim: number; method: ReduceMethod | 'none'; seed: number },
): Reduction => {
  const energy = trace(gram)
  if (energy === 0) {
    throw new GraphError(
      'reduce: at least one element must differ from 0, got all zeros, or equal rows that are centred; check the data',
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
