import type { FileParts } from '@tau/tensor/files'
import { bytesAt, chunksOf } from '../../files/bytes.ts'
import { blockBytes, type RowBlock } from '../source.ts'
import { parseWinkVectors } from './wink.ts'
import { wordVectorBlocks } from './word-vectors.ts'

/** The rows of word vectors, read by `wordVectorBlocks`, without their words. */
export async function* wordRows(parts: FileParts, memoryBytes: number): AsyncGenerator<RowBlock> {
  let read = 0
  let first = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(parts)) {
      read += chunk.length
      yield chunk
    }
  }
  for await (const { data, rows, cols } of wordVectorBlocks(counted(), {
    blockBytes: blockBytes(memoryBytes),
  })) {
    yield { data, rows, cols, first, share: read / parts.size }
    first += rows
  }
}

/** The vectors of a wink-embeddings package. The file is read whole, because the words stand apart from the
 *  vectors. */
export const winkRows = async (parts: FileParts) =>
  parseWinkVectors(await bytesAt(parts, 0, parts.size)).matrix
