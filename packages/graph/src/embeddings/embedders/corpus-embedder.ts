import { wordsOf } from '../text/passages.ts'
import { fitText, type TextEmbeddingOptions, type TextEmbeddings } from '../text/text.ts'
import { type Embedder, embedderOf } from './embedder.ts'

/** What was learned from a text: the embeddings of its own passages, and an embedder for other texts. */
export interface CorpusEmbedder extends Embedder {
  /** embeddings of the passages of the text itself, as `textEmbeddings` gives them */
  readonly passages: TextEmbeddings
}

/** Learns an embedder from a text, without a downloaded model. It does what `textEmbeddings` does, and keeps
 *  the result for later texts.
 *  A new text becomes w·V (folding in). w are the weights of its words that are in the vocabulary, by the
 *  counts of the first text. V are the right singular vectors. A passage of the first text gets the row that
 *  `passages` has, except for what the truncation drops.
 *  Deterministic for a seed. Throws GraphError as `textEmbeddings` does. */
export const corpusEmbedder = (text: string, options: TextEmbeddingOptions = {}): CorpusEmbedder => {
  const { embeddings, vocabulary, v } = fitText(text, options)
  const { cols } = v
  const vectorOf = (one: string): Float64Array => {
    const vector = new Float64Array(cols)
    for (const [word, weight] of vocabulary.weigh(wordsOf(one))) {
      for (let c = 0; c < cols; c++) vector[c] += weight * v.data[word * cols + c]
    }
    return vector
  }
  const embedder = embedderOf('corpus', (texts) => texts.map(vectorOf))
  return { ...embedder, passages: embeddings }
}
