import type { DenseMatrix } from '../dense/matrix.ts'
import { type Points, shapedMatrixOf } from '../dense/points.ts'
import { CHUNK } from '../gram/products.ts'

/** Consecutive rows of a source, [rows, cols]. Its data are valid until the next block is requested. */
export interface RowBlock extends DenseMatrix {
  /** index of its first row in the source */
  first: number
  /** share of the source that has been read after this block, 0 to 1 */
  share: number
}

/** Gives memory for blocks, aligned for f64. It is called before the first block. */
export type BlockBuffer = (bytes: number) => Uint8Array

/** Embeddings [rows, cols] of a file or of memory. They are read block by block, never all at once, and any
 *  number of times. */
export interface EmbeddingSource {
  /** used in messages: a path, or what the rows are */
  readonly name: string
  /** number of rows, if it is known before they are read */
  readonly rows: number | undefined
  readonly cols: number | undefined
  /** bytes that reading the rows may take, with everything that is computed from them meanwhile */
  readonly memoryBytes: number
  /** A pass over all rows in their order. Rows that need no decoding are read into the memory of `buffer`, if
   *  it is given. Throws FormatError, with the name, if the file is damaged. */
  blocks(buffer?: BlockBuffer): AsyncIterable<RowBlock>
}

/** Default of memoryBytes. It is small beside a machine's memory, and more would not be faster. */
export const DEFAULT_MEMORY_BYTES = 2 ** 28

/** A block is at most this share of the memory: one block is read, one is worked on, and both have copies. */
const BLOCKS_IN_MEMORY = 8
/** Larger blocks fall out of the cache. */
const MAX_BLOCK_BYTES = 2 ** 23

/** Rows of a block, with `rowBytes` bytes each; 0 if no row fits. Large blocks hold whole chunks of a Gram
 *  matrix. */
export const blockRows = (memoryBytes: number, rowBytes: number): number => {
  const rows = Math.floor(blockBytes(memoryBytes) / rowBytes)
  return rows < CHUNK ? rows : rows - (rows % CHUNK)
}

export const blockBytes = (memoryBytes: number): number =>
  Math.min(MAX_BLOCK_BYTES, Math.floor(memoryBytes / BLOCKS_IN_MEMORY))

/** A source from points in memory. Throws GraphError if they are not well formed. */
export const matrixSource = (points: Points, name = 'matrix'): EmbeddingSource => {
  const { data, rows, cols } = shapedMatrixOf(name, points)
  const most = Math.max(1, blockRows(Number.POSITIVE_INFINITY, 8 * cols))
  return {
    ...{ name, rows, cols, memoryBytes: Number.POSITIVE_INFINITY },
    async *blocks() {
      for (let first = 0; first < rows; first += most) {
        const end = Math.min(rows, first + most)
        const part = data.subarray(first * cols, end * cols)
        yield { data: part, rows: end - first, cols, first, share: end / rows }
      }
    },
  }
}

/** All rows of a source in one matrix, which is f32 if all blocks are. */
export const collectRows = async (source: EmbeddingSource): Promise<DenseMatrix> => {
  const parts: DenseMatrix[] = []
  for await (const { data, rows, cols } of source.blocks()) parts.push({ data: data.slice(), rows, cols })
  if (parts.length === 1) return parts[0]
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const cols = parts[0]?.cols ?? 0
  const isNarrow = parts.every(({ data }) => data instanceof Float32Array)
  const data = isNarrow ? new Float32Array(rows * cols) : new Float64Array(rows * cols)
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return { data, rows, cols }
}
