import type { FileParts } from '@tau/tensor'
import { blockBytes, type RowBlock } from './source.ts'
import { parseWinkVectors } from './wink.ts'
import { wordVectorBlocks } from './word-vectors.ts'

/** Bytes that are read at a time. */
const CHUNK = 2 ** 20

/** The rows of word vectors as `wordVectorBlocks` reads them, without their words. */
export async function* wordRows(parts: FileParts, memoryBytes: number): AsyncGenerator<RowBlock> {
  let read = 0
  let first = 0
  async function* chunks(): AsyncGenerator<Uint8Array> {
    while (read < parts.size) {
      const chunk = new Uint8Array(Math.min(CHUNK, parts.size - read))
      await parts.read(read, chunk)
      read += chunk.length
      yield chunk
    }
  }
  for await (const { data, rows, cols } of wordVectorBlocks(chunks(), {
    blockBytes: blockBytes(memoryBytes),
  })) {
    yield { data, rows, cols, first, share: read / parts.size }
    first += rows
  }
}

/** The vectors of a wink-embeddings package, which are read whole: its words stand apart from them. */
export const winkRows = async (parts: FileParts) => {
  const bytes = new Uint8Array(parts.size)
  await parts.read(0, bytes)
  return parseWinkVectors(bytes).matrix
}
