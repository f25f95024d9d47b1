import { FormatError } from '@tau/tensor'
import { type FilePlace, pathOf } from '@tau/tensor/files'
import { checkInteger } from '../dense/matrix.ts'
import { checkBytes, checkPlace } from '../errors.ts'
import { type OpenParts, partsOfBytes, partsOfFile, withParts } from '../files/bytes.ts'
import { jsonlBlocks } from './formats/jsonl.ts'
import { npyRows } from './formats/npy.ts'
import { parquetBlocks, parquetRows } from './formats/parquet.ts'
import { type RawRows, rawBlocks } from './formats/raw-rows.ts'
import { safetensorsRows } from './formats/safetensors.ts'
import {
  type BlockBuffer,
  DEFAULT_MEMORY_BYTES,
  type EmbeddingSource,
  matrixSource,
  type RowBlock,
} from './source.ts'
import { winkRows, wordRows } from './words/word-rows.ts'

export type EmbeddingFormat = 'npy' | 'jsonl' | 'parquet' | 'safetensors' | 'txt' | 'vec' | 'json'

export interface EmbeddingOptions {
  /** which part of the file holds the vectors: a field of jsonl lines, a column of a parquet file, a tensor
   *  of a safetensors file */
  name?: string
}

export interface OpenEmbeddingsOptions extends EmbeddingOptions {
  /** bytes that a pass over the rows may take, with the Gram matrix that `buildManifold` makes of them; 256
   *  MiB unless given, at least 1 MiB. A pass takes less if more would not be faster. */
  memoryBytes?: number
}

/** Embeddings in a file of any size. The extension names the format: .npy, .jsonl, .parquet, .safetensors,
 *  and word vectors in .txt, .vec or wink's .json.
 *  This call reads and checks the header. Every pass reads the rows: a range of rows at a time from .npy and
 *  .safetensors, a row group from .parquet, lines from .jsonl, .txt and .vec. A .json file is read whole.
 *  Throws FormatError, with the path, for an empty, damaged or unsupported file, and Error for a file that
 *  cannot be read. */
export const openEmbeddings = async (
  file: FilePlace,
  options: OpenEmbeddingsOptions = {},
): Promise<EmbeddingSource> => {
  checkPlace('openEmbeddings', file)
  const path = pathOf(file)
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  return sourceOf(path, partsOfFile(file), extension as EmbeddingFormat, options)
}

/** Embeddings of bytes in memory. Throws as `openEmbeddings` does. */
export const embeddingsOfBytes = async (
  bytes: Uint8Array,
  format: EmbeddingFormat,
  options: OpenEmbeddingsOptions = {},
): Promise<EmbeddingSource> => {
  checkBytes('embeddingsOfBytes', bytes)
  return sourceOf('', partsOfBytes(bytes), format, options)
}

const sourceOf = async (
  name: string,
  open: OpenParts,
  format: EmbeddingFormat,
  { name: part, memoryBytes = DEFAULT_MEMORY_BYTES }: OpenEmbeddingsOptions,
): Promise<EmbeddingSource> => {
  checkInteger('embeddings', 'memoryBytes', memoryBytes, 2 ** 20, Number.MAX_SAFE_INTEGER, 'use 2^28')
  const { rows, cols, blocks } = await named(name, () => reader(open, format, part, memoryBytes))
  return {
    name: name || format,
    rows,
    cols,
    memoryBytes,
    blocks: (buffer) => namedBlocks(name, blocks(buffer)),
  }
}

/** The size, if it is known before a pass, and passes over the rows. */
interface Reader {
  rows?: number
  cols?: number
  blocks(buffer: BlockBuffer | undefined): AsyncIterable<RowBlock>
}

const reader = async (
  open: OpenParts,
  format: EmbeddingFormat,
  part: string | undefined,
  memoryBytes: number,
): Promise<Reader> => {
  switch (format) {
    case 'npy':
      return rawReader(format, open, await withParts(open, npyRows), memoryBytes)
    case 'safetensors': {
      const raw = await withParts(open, (parts) => safetensorsRows(parts, part))
      return rawReader(format, open, raw, memoryBytes)
    }
    case 'parquet': {
      const found = await withParts(open, (parts) => parquetRows(parts, part))
      const blocks = () => passOver(open, (parts) => parquetBlocks(parts, found, memoryBytes))
      const { rows, columns } = found.plan
      return { rows, ...(!found.holdsLists && { cols: columns.length }), blocks }
    }
    case 'jsonl':
      await withParts(open, async () => {}) // throws now if the file is missing
      return { blocks: () => passOver(open, (parts) => jsonlBlocks(parts, memoryBytes, part)) }
    case 'txt':
    case 'vec':
      await withParts(open, async () => {})
      return { blocks: () => passOver(open, (parts) => wordRows(parts, memoryBytes)) }
    case 'json':
      return matrixSource(await withParts(open, winkRows))
    default:
      throw new FormatError(
        `embeddings: format must be npy, jsonl, parquet or safetensors, or txt, vec or json for word vectors, got ${format satisfies never}`,
      )
  }
}

const rawReader = (op: string, open: OpenParts, raw: RawRows, memoryBytes: number): Reader => {
  const { rows, cols } = raw
  if (rows < 1 || cols < 1)
    throw new FormatError(`${op}: embeddings need at least one row and one column, got [${rows}, ${cols}]`)
  return {
    rows,
    cols,
    blocks: (buffer) => passOver(open, (parts) => rawBlocks(op, parts, raw, memoryBytes, buffer)),
  }
}

async function* passOver(
  open: OpenParts,
  blocks: (parts: Awaited<ReturnType<OpenParts>>) => AsyncGenerator<RowBlock>,
): AsyncGenerator<RowBlock> {
  const parts = await open()
  try {
    yield* blocks(parts)
  } finally {
    await parts.close()
  }
}

async function* namedBlocks(name: string, blocks: AsyncIterable<RowBlock>): AsyncGenerator<RowBlock> {
  try {
    yield* blocks
  } catch (error) {
    throw withName(name, error)
  }
}

const named = async <T>(name: string, f: () => Promise<T>): Promise<T> => {
  try {
    return await f()
  } catch (error) {
    throw withName(name, error)
  }
}

/** Puts the name of the file in front of a FormatError. */
const withName = (name: string, error: unknown): unknown =>
  error instanceof FormatError && name !== '' && !error.message.includes(name)
    ? new FormatError(`${name}: ${error.message}`, { cause: error })
    : error
