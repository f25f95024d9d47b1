import type { FileParts } from '@tau/tensor/files'
import { bytesAt, chunksOf } from '../../files/bytes.ts'
import { blockBytes, type RowBlock } from '../source.ts'
import { parseWinkVectors } from './wink.ts'
import { wordVectorBlocks } from './word-vectors.ts'

/** The rows of word vectors as `wordVectorBlocks` reads them, without their words. */
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

/** The vectors of a wink-embeddings package, which are read whole: its words stand apart from them. */
export const winkRows = async (parts: FileParts) =>
  parseWinkVectors(await bytesAt(parts, 0, parts.size)).matrix
