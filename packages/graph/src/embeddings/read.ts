import { decodeUtf8, FormatError, readFileBytes } from '@tau/tensor'
import type { DenseMatrix } from '../dense.ts'
import { parseJsonl } from './jsonl.ts'
import { parseNpy } from './npy.ts'
import { parseParquetEmbeddings } from './parquet.ts'
import { parseSafetensors } from './safetensors.ts'
import { readWordVectors } from './word-vectors.ts'

const WORD_EXTENSIONS = ['txt', 'vec', 'json']

export type EmbeddingFormat = 'npy' | 'jsonl' | 'parquet' | 'safetensors'

export interface EmbeddingOptions {
  /** which part of the file: field of a jsonl line, column of a parquet file, tensor of a safetensors file */
  name?: string
}

/** Bytes of an embeddings file → matrix [items, width]; f32 where the file is f32 or narrower and not parquet or jsonl, else f64. */
export const parseEmbeddings = async (
  bytes: Uint8Array,
  format: EmbeddingFormat,
  { name }: EmbeddingOptions = {},
): Promise<DenseMatrix> => {
  switch (format) {
    case 'npy':
      return parseNpy(bytes)
    case 'jsonl':
      return parseJsonl(decodeUtf8(bytes, 'jsonl: text'), { field: name })
    case 'parquet':
      return parseParquetEmbeddings(bytes, { column: name })
    case 'safetensors':
      return parseSafetensors(bytes, { tensor: name })
    default:
      throw new FormatError(
        `embeddings: format must be npy, jsonl, parquet or safetensors, or of a file txt, vec or json, got ${format satisfies never}`,
      )
  }
}

/** Embeddings, and what their rows are where the file says it. */
export type LabelledEmbeddings = DenseMatrix & { labels?: string[] }

/** Embeddings from a file, the format by its extension: .npy, .jsonl, .parquet, .safetensors, and word vectors in .txt, .vec or wink's
 *  .json, whose rows are labelled by their words. Node only.
 *  Throws FormatError, with the path, for an empty, damaged or unsupported file, Error for one that cannot be read. */
export const readEmbeddings = async (
  path: string,
  options: EmbeddingOptions = {},
): Promise<LabelledEmbeddings> => {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  if (WORD_EXTENSIONS.includes(extension)) {
    const { words, matrix } = await readWordVectors(path)
    return { ...matrix, labels: words }
  }
  const bytes = await readFileBytes(path, 'embeddings')
  try {
    return await parseEmbeddings(bytes, extension as EmbeddingFormat, options)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(`${path}: ${error.message}`, { cause: error })
  }
}
