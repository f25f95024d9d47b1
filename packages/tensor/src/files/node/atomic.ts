import { chunksOf, type FileContent } from '../store.ts'
import { adviceFor, codeOf, reasonOf } from './system-error.ts'

/** A file to write, with its content. */
interface FileAtPath {
  readonly path: string
  readonly content: FileContent
}

/** Replaces files, each in one step. It writes a temporary file beside every path and flushes it to the disk.
 *  Then it renames them to the paths in the given order and flushes the directories.
 *  A reader of a path sees the old content or the new content, never a part. Nothing is renamed before
 *  everything is on the disk, so a full disk changes no file.
 *
 *  If anything fails (a full disk, a source of chunks that throws), the temporary files are removed and an
 *  error is thrown. It begins with `save:`, and its `cause` is the system's error. No file was changed then,
 *  unless the error lists files that were already renamed. A killed process can leave files `.save-….tmp`
 *  behind.
 *  Links are followed. Existing files keep their permissions. Directories must exist. */
export async function writeFilesAtomic(files: readonly FileAtPath[]): Promise<void> {
  const fs = process.getBuiltinModule('node:fs/promises')
  const pending: Pending[] = []
  const renamed: string[] = []
  let current: Pending | undefined
  try {
    for (const file of files) {
      current = await prepare(file)
      pending.push(current)
      await writeTemporary(current)
    }
    for (current of pending) {
      await fs.rename(current.temporary, current.target)
      renamed.push(current.path)
    }
  } catch (error) {
    for (const { temporary } of pending) await fs.rm(temporary, { force: true }).catch(() => {})
    const consequence =
      renamed.length > 0
        ? `${renamed.join(', ')} already replaced, the other files unchanged`
        : 'no file was changed'
    throw new Error(
      `save: ${current?.path} must be written completely, got ${reasonOf(error)} after ${current?.written} bytes; ` +
        `${consequence}: ${adviceFor(error)}`,
      { cause: error },
    )
  }
  for (const directory of new Set(pending.map((file) => file.directory)))
    await syncDirectory(directory).catch((error) => {
      throw new Error(
        `save: ${directory} must be flushed, got ${reasonOf(error)}; ` +
          'the new files are in place, but a power failure could undo them',
        { cause: error },
      )
    })
}

interface Pending extends FileAtPath {
  /** The path with links followed, its directory, and an unused name in that directory. */
  readonly target: string
  readonly directory: string
  readonly temporary: string
  /** Bytes in the temporary file. */
  written: number
}

async function prepare({ path, content }: FileAtPath): Promise<Pending> {
  const { realpath } = process.getBuiltinModule('node:fs/promises')
  const { dirname, join } = process.getBuiltinModule('node:path')
  const target = await realpath(path).catch(() => path)
  const directory = dirname(target)
  const temporary = join(directory, `.save-${globalThis.crypto.randomUUID()}.tmp`)
  return { path, content, target, directory, temporary, written: 0 }
}

async function writeTemporary(file: Pending): Promise<void> {
  const { open, stat } = process.getBuiltinModule('node:fs/promises')
  const old = await stat(file.target).catch(() => undefined)
  const mode = old && old.mode & 0o7777
  const handle = await open(file.temporary, 'wx', mode)
  try {
    for await (const chunk of chunksOf(file.content)) {
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await handle.write(chunk, at)
        at += bytesWritten
        file.written += bytesWritten
      }
    }
    // open() removes the bits of the umask from the mode.
    if (mode !== undefined) await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes renames durable. Windows cannot flush a directory and does not need it. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const { open } = process.getBuiltinModule('node:fs/promises')
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems (FUSE, SMB) cannot flush directories. The files themselves are complete and in place.
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error))) throw error
  } finally {
    await handle.close()
  }
}
