import type { DenseMatrix } from '../../dense/matrix.ts'

/** Words and a vector for each. */
export interface WordVectors {
  words: string[]
  /** [words, width], f32 */
  matrix: DenseMatrix & { data: Float32Array }
}

/** Rows of a block, and their words. */
export interface WordBlock extends DenseMatrix {
  data: Float32Array
  words: string[]
}

export interface WordVectorOptions {
  /** reads only the first `limit` words; all unless given */
  limit?: number
  /** most bytes of the vectors of a block, but a block has at least one row; unlimited unless given */
  blockBytes?: number
}
