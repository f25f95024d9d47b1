import { checkInteger, type DenseMatrix } from '../../dense/matrix.ts'
import { matrixOf, type Points } from '../../dense/points.ts'
import { GraphError, nameOf } from '../../errors.ts'

/** Turns texts into vectors of one width. The vector of a text does not depend on the other texts. */
export interface Embedder {
  /** what makes the vectors; used in messages and records */
  readonly name: string
  /** One row per text, in their order. Throws GraphError for no texts, or vectors that are not finite or not
   *  of one width. */
  embed(texts: readonly string[]): Promise<DenseMatrix>
}

export interface EmbedderOptions {
  /** texts per call, 32 unless given */
  batchSize?: number
}

/** An embedder from any function, a model or a service. The function gets `batchSize` texts at a time, one
 *  call after the other, and its results are checked.
 *  Throws GraphError for a batchSize below 1. `embed` rejects with what the function throws. */
export const embedderOf = (
  name: string,
  f: (texts: readonly string[]) => Points | Promise<Points>,
  { batchSize = 32 }: EmbedderOptions = {},
): Embedder => {
  if (typeof f !== 'function')
    throw new GraphError(`embedderOf: f must be a function of texts, got ${nameOf(f)}`)
  checkInteger('embedderOf', 'batchSize', batchSize, 1, Number.MAX_SAFE_INTEGER, 'use 32')
  return {
    name,
    async embed(texts) {
      if (texts.length === 0) throw new GraphError(`${name}: texts must hold at least one text, got none`)
      let data = new Float64Array()
      let cols = 0
      for (let first = 0; first < texts.length; first += batchSize) {
        const batch = texts.slice(first, first + batchSize)
        const vectors = batchMatrix(name, await f(batch), batch.length)
        if (first === 0) {
          cols = vectors.cols
          data = new Float64Array(texts.length * cols)
        }
        if (vectors.cols !== cols) {
          throw new GraphError(
            `${name}: all vectors must have one width, got ${cols} and, from text ${first} on, ${vectors.cols}`,
          )
        }
        data.set(vectors.data, first * cols)
      }
      return { data, rows: texts.length, cols }
    },
  }
}

/** The vectors of a batch as a matrix, after checks. */
const batchMatrix = (name: string, vectors: Points, count: number): DenseMatrix => {
  const matrix = matrixOf(name, vectors)
  if (matrix.rows !== count) {
    throw new GraphError(`${name}: there must be a vector per text, got ${matrix.rows} for ${count} texts`)
  }
  return matrix
}
