import { FormatError } from '../../errors.ts'
import { checkName, type FileParts, type Store, type StoredFile } from '../store.ts'
import { writeFilesAtomic } from './atomic.ts'
import { lockFile } from './lock.ts'
import { adviceFor, codeOf, reasonOf } from './system-error.ts'

/** The store of the folder at `path` in Node's file system. The folder is created when the first file is
 *  written. */
export function nodeStore(path: string): Store {
  checkNode(path)
  const fs = process.getBuiltinModule('node:fs/promises')
  const { join } = process.getBuiltinModule('node:path')
  const at = (name: string) => join(path, checkName(path, name))
  const make = () =>
    fs.mkdir(path, { recursive: true }).catch((error) => {
      throw new Error(
        `save: ${path} must be a folder or a new name, got ${reasonOf(error)}; ${adviceFor(error)}`,
        {
          cause: error,
        },
      )
    })
  return {
    path,
    folder: (name) => nodeStore(at(name)),
    async list() {
      const names = await fs.readdir(path).catch((error) => {
        if (codeOf(error) === 'ENOENT') return []
        throw new Error(
          `list: ${path} must be a readable folder, got ${reasonOf(error)}; ${adviceFor(error)}`,
          {
            cause: error,
          },
        )
      })
      return names.sort()
    },
    open: (name, op) => openParts(at(name), op),
    async write(files) {
      if (files.length === 0) return
      const named = files.map(({ name, content }) => ({ path: at(name), content }))
      await make()
      await writeFilesAtomic(named)
    },
    async append(name, content) {
      await make()
      await fs.appendFile(at(name), content)
    },
    remove: (name) => fs.rm(at(name), { recursive: true, force: true }),
    async lock(name) {
      await make()
      return lockFile(at(name))
    },
  }
}

/** The store and the name of the file at `path`. */
export function nodeFile(path: string): StoredFile {
  checkNode(path)
  const { dirname, basename } = process.getBuiltinModule('node:path')
  return { store: nodeStore(dirname(path)), name: basename(path) }
}

function checkNode(path: string): void {
  if (typeof process !== 'object' || process.getBuiltinModule === undefined)
    throw new Error(
      `store: a path needs the file system of Node 22.12 or later, got ${path} in another runtime; pass a Store`,
    )
}

/** Opens a regular file of any size. */
async function openParts(path: string, op: string): Promise<FileParts> {
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

/** Size of a file. It must be a regular file, because opening a pipe would wait for its writer. */
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

const unreadable = (path: string, op: string, error: unknown): never => {
  throw new Error(`${op}: ${path} must be readable, got ${reasonOf(error)}; ${adviceFor(error)}`, {
    cause: error,
  })
}
