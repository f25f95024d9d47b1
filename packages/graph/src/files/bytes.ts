import { FormatError } from '@tau/tensor'
import { type FileParts, type FilePlace, openFileParts } from '@tau/tensor/files'

/** Opens what a source reads, once per pass over its rows. */
export type OpenParts = () => Promise<FileParts>

export const partsOfFile =
  (file: FilePlace): OpenParts =>
  () =>
    openFileParts(file, 'embeddings')

export const partsOfBytes =
  (bytes: Uint8Array): OpenParts =>
  async () => ({
    size: bytes.length,
    async read(start, target) {
      const part = bytes.subarray(start, start + target.length)
      if (part.length < target.length) {
        throw new FormatError(
          `embeddings: there must be ${target.length} bytes from byte ${start} on, got ${part.length}; they are truncated`,
        )
      }
      target.set(part)
    },
    async close() {},
  })

/** Bytes [start, start + length), where they are few. */
export const bytesAt = async (
  parts: FileParts,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> => {
  const target = new Uint8Array(length)
  await parts.read(start, target)
  return target
}

/** Bytes that are read at a time. */
const CHUNK = 2 ** 20

/** All bytes, piece by piece. */
export async function* chunksOf(parts: FileParts): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let start = 0; start < parts.size; start += CHUNK)
    yield await bytesAt(parts, start, Math.min(CHUNK, parts.size - start))
}

/** Runs `f` on the opened parts and closes them. */
export const withParts = async <T>(open: OpenParts, f: (parts: FileParts) => Promise<T>): Promise<T> => {
  const parts = await open()
  try {
    return await f(parts)
  } finally {
    await parts.close()
  }
}
