/** Files that are whole or absent. Node only; the modules of Node are loaded when a function is called. */

/** Bytes of a file, or chunks of them that are written one after the other. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Replaces the file at `path` in one step: writes a temporary file beside it, flushes it to the disk, renames it over
 *  `path` and flushes the directory. A reader sees the old content or the new, never a part.
 *
 *  If anything fails (a full disk, a chunk source that throws) the temporary file is removed, the old file is as it
 *  was, and the error begins with `save:`; its `cause` is what the system said. A killed process can leave a file
 *  `.save-….tmp` behind. A link is followed, and an existing file's permissions are kept. */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const fs = await import('node:fs/promises')
  const { dirname, join } = await import('node:path')
  const target = await fs.realpath(path).catch(() => path)
  const directory = dirname(target)
  const temporary = join(directory, `.save-${globalThis.crypto.randomUUID()}.tmp`)
  let written = 0
  try {
    const stat = await fs.stat(target).catch(() => undefined)
    const mode = stat && stat.mode & 0o7777
    const handle = await fs.open(temporary, 'wx', mode)
    try {
      for await (const chunk of chunksOf(content)) {
        for (let at = 0; at < chunk.length; ) {
          const { bytesWritten } = await handle.write(chunk, at)
          at += bytesWritten
          written += bytesWritten
        }
      }
      // The mode given to open lacks what the umask takes.
      if (mode !== undefined) await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.rename(temporary, target)
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {})
    throw new Error(
      `save: ${path} must be written whole, got ${reasonOf(error)} after ${written} bytes; ` +
        `what was there before is unchanged: ${adviceFor(error)}`,
      { cause: error },
    )
  }
  await syncDirectory(directory).catch((error) => {
    throw new Error(
      `save: the directory of ${path} must be flushed, got ${reasonOf(error)}; ` +
        'the new file is in place, but a power failure could undo it',
      { cause: error },
    )
  })
}

async function* chunksOf(content: FileContent): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') yield new TextEncoder().encode(content)
  else if (content instanceof Uint8Array) yield content
  else yield* content
}

/** Makes a rename durable. Windows cannot flush a directory and needs no flush. */
async function syncDirectory(directory: string): Promise<void> {
  if (globalThis.process.platform === 'win32') return
  const { open } = await import('node:fs/promises')
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems (FUSE, SMB) have no flush for directories: the file itself is complete and in place.
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error))) throw error
  } finally {
    await handle.close()
  }
}

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
    throw new Error(
      `readJson: ${path} must be JSON, got ${reasonOf(error)}; the file is damaged, write it again`,
      {
        cause: error,
      },
    )
  }
}

/** Text of a regular, non-empty file of at most `maxBytes` bytes of strict UTF-8, without its byte order mark;
 *  errors begin with `op`. */
export async function readUtf8File(path: string, op: string, maxBytes: number): Promise<string> {
  const bytes = await readBytes(path, op, maxBytes)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const at = firstInvalidUtf8(bytes)
    const found = Array.from(bytes.subarray(at, at + 4), (byte) => byte.toString(16).padStart(2, '0')).join(
      ' ',
    )
    throw new Error(
      `${op}: ${path} must be UTF-8, got bytes ${found} at offset ${at}; convert the file to UTF-8`,
    )
  }
}

async function readBytes(path: string, op: string, maxBytes: number): Promise<Uint8Array> {
  const fs = await import('node:fs/promises')
  const refuse = (rule: string, got: string): never => {
    throw new Error(`${op}: ${path} must ${rule}, got ${got}`)
  }
  const failed = (error: unknown) => refuse('be readable', `${reasonOf(error)}; ${adviceFor(error)}`)
  // stat first: opening a pipe would wait for its writer.
  const stat = await fs.stat(path).catch(failed)
  if (stat.isDirectory()) refuse('be a file', 'a directory; list its files instead')
  if (!stat.isFile()) refuse('be a regular file', 'a device, pipe or socket; copy its content to a file')
  if (stat.size > maxBytes) refuse(`have at most ${maxBytes} bytes`, `${stat.size}; use a smaller file`)
  return fs.readFile(path).catch(failed)
}

/** Offset of the first byte of the first ill-formed sequence (Unicode 16, table 3-7), or the length if there is none. */
export function firstInvalidUtf8(bytes: Uint8Array): number {
  const at = 0
  while (at < bytes.length) {
    const length = lengthOfLead(lead)
  if (at + length > bytes.length) return 0
  for (let i = 1; i < length; i++) if (bytes[at + i] >> 6 !== 0b10) return 0
  // The second byte's range is narrower where the sequence would be overlong, a surrogate, or above U+10FFFF.
  const second = bytes[at + 1]
  if (lead === 0xe0 && second < 0xa0) return 0
  if (lead === 0xed && second > 0x9f) return 0
  if (lead === 0xf0 && second < 0x90) return 0
  if (lead === 0xf4 && second > 0x8f) return 0
  return length
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function adviceFor(error: unknown): string {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'free disk space or choose another disk'
  if (code === 'EFBIG') return 'raise the file size limit (ulimit -f)'
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'check the path, and that its directory exists'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'check the permissions'
  if (code === 'EISDIR') return 'choose a path that is not a directory'
  return 'try again or choose another path'
}
