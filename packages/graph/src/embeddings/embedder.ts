import { checkDense, checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'

/** Turns texts into vectors of one width: the same text, the same vector, whatever stands beside it. */
export interface Embedder {
  /** for messages and records: what makes the vectors */
  readonly name: string
  /** One row per text, in their order. Throws GraphError for no texts, or vectors that are not finite or not of one width. */
  embed(texts: readonly string[]): Promise<DenseMatrix>
}

/** What an embedding function may return: a matrix, or a vector per text. */
export type Vectors = DenseMatrix | readonly ArrayLike<number>[]

export interface EmbedderOptions {
  /** texts per call, 32 unless given */
  batchSize?: number
}

/** An embedder of any function, a model or a service: it is called with `batchSize` texts at a time, one call after the other, and what it returns
 *  is checked.
 *  Throws GraphError for a batchSize below 1; `embed` rejects with what the function throws. */
export const embedderOf = (
  name: string,
  f: (texts: readonly string[]) => Vectors | Promise<Vectors>,
  { batchSize = 32 }: EmbedderOptions = {},
): Embedder => {
  checkInteger('embedderOf', 'batchSize', batchSize, 1, Number.MAX_SAFE_INTEGER, 'use 32')
  return {
    name,
    async embed(texts) {
      if (texts.length === 0) throw new GraphError(`${name}: there must be a text to embed, got none`)
      let data = new Float64Array()
      let cols = 0
      for (let first = 0; first < texts.length; first += batchSize) {
        const batch = texts.slice(first, first + batchSize)
        const vectors = matrixOfVectors(name, await f(batch), batch.length)
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

/** Vectors of a batch as a matrix, checked. */
const matrixOfVectors = (name: string, vectors: Vectors, count: number): DenseMatrix => {
  const matrix = 'data' in vectors ? vectors : joined(name, vectors)
  if (matrix.rows !== count) {
    throw new GraphError(`${name}: there must be a vector per text, got ${matrix.rows} for ${count} texts`)
  }
  checkDense(name, matrix)
  return matrix
}

const joined = (name: string, vectors: readonly ArrayLike<number>[]): DenseMatrix => {
  const cols = vectors[0]?.length ?? 0
  const odd = vectors.find((vector) => vector.length !== cols)
  if (odd) throw new GraphError(`${name}: all vectors must have one width, got ${cols} and ${odd.length}`)
  const data = new Float64Array(vectors.length * cols)
  for (const [i, vector] of vectors.entries()) data.set(vector, i * cols)
  return { data, rows: vectors.length, cols }
}
