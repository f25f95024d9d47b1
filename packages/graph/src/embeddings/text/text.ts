import { checkInteger, type DenseMatrix } from '../../dense/matrix.ts'
import { checkString, GraphError } from '../../errors.ts'
import { nnz } from '../../sparse/csr.ts'
import { randomizedSvd } from '../../spectrum/svd.ts'
import { partOf, type WatchOptions } from '../../watch/watch.ts'
import { cutPassages } from './passages.ts'
import { type Vocabulary, type VocabularyOptions, type Weighting, weightPassages } from './weighting.ts'

export interface TextEmbeddingOptions extends Partial<VocabularyOptions>, WatchOptions {
  /** width of the embeddings, at most min(passages, words); unless given the smaller of 128 and that
   *  maximum */
  dim?: number
  /** words per passage, 64 unless given */
  passageTokens?: number
  /** 'tf-idf' unless given */
  weighting?: Weighting
  /** 0 unless given */
  seed?: number
  /** see `randomizedSvd`: 10 and 2 unless given */
  oversample?: number
  powerIterations?: number
}

export interface TextEmbeddings extends DenseMatrix {
  data: Float64Array
  info: {
    passages: number
    /** number of words of the text */
    tokens: number
    /** number of distinct words that were kept */
    vocabulary: number
    /** non-zeros of the weighted passage-by-word matrix */
    nnz: number
    /** share of the squared weights that the `dim` components keep */
    keptEnergy: number
    singularValues: Float64Array
  }
}

const DEFAULT_DIM = 128

/** Embeddings of a text's passages, without a downloaded model (latent semantic analysis). Passages of
 *  consecutive words → sparse tf-idf or PPMI weights → randomised truncated SVD → U·S, one row per passage.
 *  Dot products of these rows approximate dot products of the rows of weights.
 *  One seed gives the same bits on one engine. Throws GraphError if the text is too short for the settings,
 *  naming the setting. */
export const textEmbeddings = (text: string, options: TextEmbeddingOptions = {}): TextEmbeddings =>
  fitText(text, options).embeddings

/** The results of `textEmbeddings`, with the vocabulary and the right singular vectors V [words, dim]. */
export interface FittedText {
  embeddings: TextEmbeddings
  vocabulary: Vocabulary
  v: DenseMatrix
}

export const fitText = (text: string, options: TextEmbeddingOptions): FittedText => {
  const { passageTokens = 64, weighting = 'tf-idf', seed = 0, oversample, powerIterations } = options
  const { minPassages = 2, maxShare = 0.5, maxWords = 20_000 } = options
  if (weighting !== 'tf-idf' && weighting !== 'ppmi') {
    throw new GraphError(`textEmbeddings: weighting must be 'tf-idf' or 'ppmi', got '${weighting}'`)
  }
  checkString('textEmbeddings', 'text', text)
  const passages = cutPassages(text, passageTokens)
  const { weights, vocabulary: kept } = weightPassages(passages, weighting, {
    minPassages,
    maxShare,
    maxWords,
  })
  const { nRows: rows, nCols: vocabulary } = weights
  const most = Math.min(rows, vocabulary)
  const { dim = Math.min(DEFAULT_DIM, most) } = options
  checkInteger(
    'textEmbeddings',
    'dim',
    dim,
    1,
    most,
    `the text gives ${rows} passages and ${vocabulary} words; lower dim or add text`,
  )
  const { u, s, v } = randomizedSvd(weights, {
    ...{ rank: dim, oversample, powerIterations, seed },
    ...partOf(options, 0.1, 1), // counting words takes a tenth of the time, measured on Moby-Dick
  })
  const data = u.data.map((value, n) => value * s[n % dim])
  const energy = weights.values.reduce((sum, v) => sum + v * v, 0)
  const info = {
    passages: rows,
    tokens: passages.tokens.length,
    vocabulary,
    nnz: nnz(weights),
    keptEnergy: s.reduce((sum, v) => sum + v * v, 0) / energy,
    singularValues: s,
  }
  return { embeddings: { data, rows, cols: dim, info }, vocabulary: kept, v }
}
