import { matrixOf } from '../../dense/points.ts'
import { checkOptions, GraphError } from '../../errors.ts'
import { wordsOf } from '../text/passages.ts'
import type { WordVectors } from '../words/vectors.ts'
import { type Embedder, embedderOf } from './embedder.ts'

/** An embedder from word vectors. A text that is one of the words gets the vector of that word. Any other
 *  text gets the mean vector of its known words. Words are letters and digits in lower case, as in
 *  `textEmbeddings`. A text without a known word gets zeros. If a word occurs twice in the list, its first
 *  vector counts.
 *  Throws GraphError if the numbers of words and vectors differ. */
export const wordEmbedder = (vectors: WordVectors): Embedder => {
  checkOptions('wordEmbedder', vectors, '{ words, matrix }')
  const { words, matrix } = vectors
  const { data, rows, cols } = matrixOf('wordEmbedder', matrix)
  if (words?.length !== rows) {
    throw new GraphError(
      `wordEmbedder: there must be a vector per word, got ${words?.length} words and ${rows} vectors`,
    )
  }
  const rowOf = new Map<string, number>()
  for (const [row, word] of words.entries()) if (!rowOf.has(word)) rowOf.set(word, row)
  const vectorOf = (text: string): Float64Array => {
    const sum = new Float64Array(cols)
    const own = rowOf.get(text)
    const found = own === undefined ? wordsOf(text).map((word) => rowOf.get(word)) : [own]
    const known = found.filter((row) => row !== undefined)
    for (const row of known) for (let c = 0; c < cols; c++) sum[c] += data[row * cols + c] / known.length
    return sum
  }
  return embedderOf(`${words.length} word vectors`, (texts) => texts.map(vectorOf))
}
