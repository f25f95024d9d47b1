import { FormatError, GraphError } from './errors.ts'
import { nodeFs, nodePath } from './node.ts'

/** The bytes of a file that is not empty. Throws FormatError for a missing, empty or unreadable file, naming the path. */
export const readFileBytes = async (op: string, path: string): Promise<Uint8Array> => {
  const { readFile } = await nodeFs()
  let bytes: Uint8Array
  try {
    const buffer = await readFile(path)
    bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length) // Buffer's own slice does not copy
  } catch (error) {
    const code = (error as { code?: string }).code
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(error)
    throw new FormatError(`${op}: cannot read ${path}: ${reason}; check the path`, { cause: error })
  }
  if (bytes.length === 0)
    throw new FormatError(`${op}: ${path} must not be empty, got 0 bytes; write it again`)
  return bytes
}

/** UTF-8 text of a file that is not empty. Throws FormatError as `readFileBytes` and `decodeUtf8` do. */
export const readTextFile = async (path: string): Promise<string> =>
  decodeUtf8(`text ${path}`, await readFileBytes('text', path))

/** Does the path name a folder? */
export const isFolder = async (path: string): Promise<boolean> => {
  const { stat } = await nodeFs()
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** Write files so that each path holds either all of its bytes or what it held before: temporary names in the same folders, fsync, and
 *  only when all of them are on the disk, renames in the given order. A full disk thus changes nothing.
 *  Throws GraphError, with the path and the system's reason as its cause. */
export const writeFilesAtomic = async (files: { path: string; bytes: Uint8Array }[]): Promise<void> => {
  const { mkdir, open, rename, rm } = await nodeFs()
  const { dirname } = await nodePath()
  const moves = files.map(({ path, bytes }) => ({
    path,
    bytes,
    temporary: `${path}.${globalThis.crypto.randomUUID()}.tmp`,
  }))
  const folders = new Set(files.map(({ path }) => dirname(path)))
  let current = moves[0].path
  let consequence = 'what was there before is unchanged'
  try {
    for (const folder of folders) await mkdir(folder, { recursive: true })
    for (const { path, temporary, bytes } of moves) {
      current = path
      const file = await open(temporary, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
    }
    for (const { temporary, path } of moves) {
      current = path
      await rename(temporary, path)
      consequence = 'files before it were replaced'
    }
  } catch (error) {
    for (const { temporary } of moves) await rm(temporary, { force: true }).catch(() => undefined)
    const reason = error instanceof Error ? error.message : String(error)
    throw new GraphError(
      `save: ${current} must be written whole, got ${reason}; ${consequence}: free space or choose another folder`,
      { cause: error },
    )
  }
  // The renames themselves must reach the disk too; some systems cannot open a folder, and then it is up to them.
  for (const folder of folders) {
    const handle = await open(folder, 'r').catch(() => undefined)
    await handle?.sync().catch(() => undefined)
    await handle?.close()
  }
}

/** Bytes → string. Throws FormatError with the offset of the first byte that is not UTF-8. A byte-order mark is dropped. */
export const decodeUtf8 = (op: string, bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    const at = invalidUtf8At(bytes)
    const byte = `0x${bytes[at].toString(16).padStart(2, '0')}`
    throw new FormatError(
      `${op}: text must be UTF-8, got byte ${byte} at offset ${at}; convert it, e.g. with iconv -t utf-8`,
      { cause: error },
    )
  }
}

/** Offset of the first sequence that is not UTF-8: bisection for the longest prefix that a streaming decoder takes, less what it still
 *  holds back of an unfinished character. */
const invalidUtf8At = (bytes: Uint8Array): number => {
  let valid = 0
  let invalid = bytes.length
  let consumed = 0
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      const text = decoder.decode(bytes.subarray(0, middle), { stream: true })
      consumed = new TextEncoder().encode(text).length
      valid = middle
    } catch {
      invalid = middle
    }
  }
  return consumed
}
