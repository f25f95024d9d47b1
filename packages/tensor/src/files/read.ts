/** Reads files whose content may be anything. */
import { FormatError } from '../errors.ts'
import { type FilePlace, openFileParts, pathOf } from './place.ts'
import { decodeUtf8 } from './utf8.ts'

export interface ReadJsonOptions {
  /** Largest file that is read. Default 256 MiB. */
  readonly maxBytes?: number
}

/** Reads a JSON file. The caller must check the shape of the value. Throws an error that names the file if it
 *  is missing, not a regular file, empty, larger than `maxBytes`, not UTF-8 (with the byte offset), or not
 *  JSON. */
export async function readJson(file: FilePlace, options: ReadJsonOptions = {}): Promise<unknown> {
  const text = await readUtf8File(file, 'readJson', options.maxBytes ?? 2 ** 28)
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : error
    throw new FormatError(
      `readJson: ${pathOf(file)} must be JSON, got ${reason}; the file is damaged, write it again`,
      { cause: error },
    )
  }
}

/** Text of a file that is not empty, has at most `maxBytes` bytes, and is strict UTF-8. A byte order mark is
 *  removed. Errors begin with `op`. */
export async function readUtf8File(file: FilePlace, op: string, maxBytes: number): Promise<string> {
  const bytes = await readFileBytes(file, op, maxBytes)
  const text = decodeUtf8(bytes, `${op}: ${pathOf(file)}`)
  if (text === '')
    throw new FormatError(
      `${op}: ${pathOf(file)} must not be empty, got ${bytes.length} bytes; check the program that wrote it`,
    )
  return text
}

/** Bytes of a file of at most `maxBytes` bytes (default 2³¹ − 1). Errors begin with `op` and name the
 *  file. */
export async function readFileBytes(
  file: FilePlace,
  op = 'read',
  maxBytes = 2 ** 31 - 1,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = await openFileParts(file, op)
  try {
    if (parts.size > maxBytes)
      throw new Error(
        `${op}: ${pathOf(file)} must have at most ${maxBytes} bytes, got ${parts.size}; use a smaller file`,
      )
    const bytes = new Uint8Array(parts.size)
    await parts.read(0, bytes)
    return bytes
  } finally {
    await parts.close()
  }
}
