import { FormatError } from '@tau/tensor'
import { type FileParts, type FilePlace, openFileParts } from '@tau/tensor/files'

/** Opens a file or bytes for one pass over the rows. */
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
          `embeddings: the data must have ${target.length} bytes from byte ${start} on, got ${part.length}; they are truncated`,
        )
      }
      target.set(part)
    },
    async close() {},
  })

/** The bytes [start, start + length) in a new array; meant for small lengths. */
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

/** Opens the parts, runs `f` on them and closes them. */
export const withParts = async <T>(open: OpenParts, f: (parts: FileParts) => Promise<T>): Promise<T> => {
  const parts = await open()
  try {
    return await f(parts)
  } finally {
    await parts.close()
  }
}
