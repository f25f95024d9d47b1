/** Reading files that may be anything. Node only. */
import { FormatError } from '../errors.ts'
import { adviceFor, reasonOf } from './system-error.ts'
import { decodeUtf8 } from './utf8.ts'

export interface ReadJsonOptions {
  /** Largest file that is read. Default 256 MiB. */
  readonly maxBytes?: number
}

/** Reads a JSON file. Errors name the file: missing, not a regular file, empty, larger than `maxBytes`, not UTF-8
 *  (with the byte offset), not JSON. What the value looks like is for the caller to check. */
export async function readJson(path: string, options: ReadJsonOptions = {}): Promise<unknown> {
  const text = await readUtf8File(path, 'readJson', options.maxBytes ?? 2 ** 28)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FormatError(
      `readJson: ${path} must be JSON, got ${reasonOf(error)}; the file is damaged, write it again`,
      { cause: error },
    )
  }
}

/** Text of a regular, non-empty file of at most `maxBytes` bytes of strict UTF-8, without its byte order mark;
 *  errors begin with `op`. */
export async function readUtf8File(path: string, op: string, maxBytes: number): Promise<string> {
  const bytes = await readFileBytes(path, op, maxBytes)
  const text = decodeUtf8(bytes, `${op}: ${path}`)
  if (text === '')
    throw new FormatError(`${op}: ${path} must not be empty, got ${bytes.length} bytes; check what made it`)
  return text
}

/** Bytes of a regular file of at most `maxBytes` (default 2 GiB less a byte, the most that Node reads at once). Errors begin
 *  with `op` and name the file. */
export async function readFileBytes(
  path: string,
  op = 'read',
  maxBytes = 2 ** 31 - 1,
): Promise<Uint8Array<ArrayBuffer>> {
  const fs = process.getBuiltinModule('node:fs/promises')
  const size = await regularSize(path, op)
  if (size > maxBytes) refuse(path, op, `have at most ${maxBytes} bytes`, `${size}; use a smaller file`)
  const buffer = await fs.readFile(path).catch((error) => unreadable(path, op, error))
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length) // unlike Buffer's, its slice copies
}

/** A file that is read in parts. */
export interface FileParts {
  readonly size: number
  /** Fills `target` with the bytes from `start` on. Throws FormatError where the file ends before it is full. */
  read(start: number, target: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Opens a regular file of any size to read parts of it. Errors begin with `op` and name the file. */
export async function openFileParts(path: string, op = 'read'): Promise<FileParts> {
  const fs = process.getBuiltinModule('node:fs/promises')
  const failed = (error: unknown) => unreadable(path, op, error)
  const size = await regularSize(path, op)
  const file = await fs.open(path).catch(failed)
  return {
    size,
    async read(start, target) {
      for (let at = 0; at < target.length; ) {
        const { bytesRead } = await file.read(target, at, target.length - at, start + at).catch(failed)
        if (bytesRead === 0)
          throw new FormatError(
            `${op}: ${path} must have ${target.length} bytes from byte ${start} on, got ${at}; it is truncated`,
          )
        at += bytesRead
      }
    },
    close: () => file.close(),
  }
}

/** Size of a file, which must be a regular one: opening a pipe would wait for its writer. */
async function regularSize(path: string, op: string): Promise<number> {
  const { stat } = process.getBuiltinModule('node:fs/promises')
  const found = await stat(path).catch((error) => unreadable(path, op, error))
  if (found.isDirectory()) refuse(path, op, 'be a file', 'a directory; list its files instead')
  if (!found.isFile())
    refuse(path, op, 'be a regular file', 'a device, pipe or socket; copy its content to a file')
  return found.size
}

const refuse = (path: string, op: string, rule: string, got: string): never => {
  throw new Error(`${op}: ${path} must ${rule}, got ${got}`)
}

const unreadable = (path: string, op: string, error: unknown): never =>
  refuse(path, op, 'be readable', `${reasonOf(error)}; ${adviceFor(error)}`)
