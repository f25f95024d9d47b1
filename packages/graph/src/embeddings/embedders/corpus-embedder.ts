import { wordsOf } from '../text/passages.ts'
import { fitText, type TextEmbeddingOptions, type TextEmbeddings } from '../text/text.ts'
import { type Embedder, embedderOf } from './embedder.ts'

/** What a text taught: its own passages, and an embedder for others. */
export interface CorpusEmbedder extends Embedder {
  /** those of the text itself, as `textEmbeddings` gives them */
  readonly passages: TextEmbeddings
}

/** Learns from a text, without a downloaded model: what `textEmbeddings` does, kept for texts to come. A new text becomes the weights w of the
 *  words that were kept, by the counts of the text learned from, and then w·V with the right singular vectors V (folding in): passages of
 *  that text come out as `passages` has them, up to what the truncation leaves out.
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
