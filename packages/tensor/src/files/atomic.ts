/** Files that are whole or absent. Node only; the modules of Node are loaded when a function is called. */
import { adviceFor, codeOf, reasonOf } from './system-error.ts'

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
