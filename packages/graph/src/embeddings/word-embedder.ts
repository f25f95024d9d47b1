import { checkDense } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import { type Embedder, embedderOf } from './embedder.ts'
import { wordsOf } from './passages.ts'
import type { WordVectors } from './word-vectors.ts'

/** Word vectors as an embedder: a text that is itself one of the words gets its vector, any other the mean of the vectors of its words (as in
 *  `textEmbeddings`: letters and digits, in lower case), of those that there are. A text without any gets zeros. Of a word that stands
 *  twice, the first counts.
 *  Throws GraphError where words and vectors are not as many. */
export const wordEmbedder = ({ words, matrix }: WordVectors): Embedder => {
  checkDense('wordEmbedder', matrix)
  if (words.length !== matrix.rows) {
    throw new GraphError(
      `wordEmbedder: there must be a vector per word, got ${words.length} words and ${matrix.rows} vectors`,
    )
  }
  const rowOf = new Map<string, number>()
  for (const [row, word] of words.entries()) if (!rowOf.has(word)) rowOf.set(word, row)
  const { data, cols } = matrix
  const vectorOf = (text: string): Float64Array => {
    const sum = new Float64Array(cols)
    const own = rowOf.get(text)
    const rows = own === undefined ? wordsOf(text).map((word) => rowOf.get(word)) : [own]
    const known = rows.filter((row) => row !== undefined)
    for (const row of known) for (let c = 0; c < cols; c++) sum[c] += data[row * cols + c] / known.length
    return sum
  }
  return embedderOf(`${words.length} word vectors`, (texts) => texts.map(vectorOf))
}
