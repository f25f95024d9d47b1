import { chunksOf, type FileContent } from '../store.ts'
import { adviceFor, codeOf, reasonOf } from './system-error.ts'

/** A file to write, with its content. */
interface FileAtPath {
  readonly path: string
  readonly content: FileContent
}

/** Replaces files, each in one step: writes a temporary file beside every path and flushes it to the disk, then renames them
 *  over the paths in the given order and flushes the directories. A reader of a path sees the old content or the new, never a
 *  part; and as nothing is renamed before all is on the disk, a full disk changes none of the files.
 *
 *  If anything fails (a full disk, a chunk source that throws) the temporary files are removed, and the error begins with
 *  `save:`; its `cause` is what the system said. Every file is then as it was, unless the error says that those before the
 *  failed rename are new. A killed process can leave files `.save-….tmp` behind. Links are followed, existing files keep their
 *  permissions, and directories must exist. */
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
        ? `${renamed.join(', ')} new, the others as before`
        : 'what was there before is unchanged'
    throw new Error(
      `save: ${current?.path} must be written whole, got ${reasonOf(error)} after ${current?.written} bytes; ` +
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
  /** The path with links followed, its directory, and a name in it that nothing else has. */
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
    // The mode given to open lacks what the umask takes.
    if (mode !== undefined) await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes renames durable. Windows cannot flush a directory and needs no flush. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const { open } = process.getBuiltinModule('node:fs/promises')
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems (FUSE, SMB) have no flush for directories: the files themselves are complete and in place.
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error))) throw error
  } finally {
    await handle.close()
  }
}
