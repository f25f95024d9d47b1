import { FormatError } from '@tau/tensor'
import { type FilePlace, pathOf } from '@tau/tensor/files'
import type { DenseMatrix } from '../dense/matrix.ts'
import { checkPlace } from '../errors.ts'
import { type EmbeddingFormat, type EmbeddingOptions, embeddingsOfBytes, openEmbeddings } from './open.ts'
import { collectRows, type EmbeddingSource } from './source.ts'
import { readWordVectors } from './words/word-vectors.ts'

/** Bytes of an embeddings file → matrix [items, width]. It is f32 if the file is f32 or narrower and is not
 *  parquet or jsonl, else f64.
 *  Throws FormatError for bytes that are not of this format, and for elements that are not finite. */
export const parseEmbeddings = async (
  bytes: Uint8Array,
  format: EmbeddingFormat,
  { name }: EmbeddingOptions = {},
): Promise<DenseMatrix> => wholeOf(await embeddingsOfBytes(bytes, format, { name, ...WHOLE }))

/** Embeddings, with a label for each row if the file has labels. */
export type LabelledEmbeddings = DenseMatrix & { labels?: string[] }

const WORD_EXTENSION = /\.(txt|vec|json)$/i

/** Embeddings from a file, all in memory. The extension names the format: .npy, .jsonl, .parquet,
 *  .safetensors, and word vectors in .txt, .vec or wink's .json. Rows of word vectors get their words as
 *  labels. `openEmbeddings` is for files that do not fit in memory.
 *  Throws FormatError, with the path, for an empty, damaged or unsupported file, and Error for a file that
 *  cannot be read. */
export const readEmbeddings = async (
  file: FilePlace,
  { name }: EmbeddingOptions = {},
): Promise<LabelledEmbeddings> => {
  checkPlace('readEmbeddings', file)
  if (WORD_EXTENSION.test(pathOf(file))) {
    const { words, matrix } = await readWordVectors(file)
    return { ...matrix, labels: words }
  }
  return wholeOf(await openEmbeddings(file, { name, ...WHOLE }))
}

// All rows are held in memory anyway, so they may be read in large blocks.
const WHOLE = { memoryBytes: 2 ** 40 }

const wholeOf = async (source: EmbeddingSource): Promise<DenseMatrix> => {
  const x = await collectRows(source)
  const bad = x.data.findIndex((v) => !Number.isFinite(v))
  if (bad >= 0) {
    throw new FormatError(
      `${source.name}: every element must be finite, got ${x.data[bad]} at row ${Math.floor(bad / x.cols)}, column ${bad % x.cols}`,
    )
  }
  return x
}
