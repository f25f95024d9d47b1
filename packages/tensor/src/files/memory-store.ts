import { FormatError } from '../errors.ts'
import { checkName, chunksOf, type FileToWrite, LockedError, type Store } from './store.ts'

/** A store in memory, which ends with the process. For tests, and for runs whose files are not kept. */
export const memoryStore = (name = 'memory'): Store => storeOf({ files: new Map(), locks: new Set() }, name)

/** Files by their path from the outermost folder, and the locks that are held. */
interface Memory {
  readonly files: Map<string, Uint8Array<ArrayBuffer>>
  readonly locks: Set<string>
}

function storeOf(memory: Memory, path: string): Store {
  const { files, locks } = memory
  const at = (name: string) => `${path}/${checkName(path, name)}`
  return {
    path,
    folder: (name) => storeOf(memory, at(name)),
    async list() {
      const inside = Array.from(files.keys()).filter((file) => file.startsWith(`${path}/`))
      return [...new Set(inside.map((file) => file.slice(path.length + 1).split('/')[0]))].sort()
    },
    async open(name, op) {
      const file = at(name)
      const bytes = files.get(file)
      if (bytes === undefined)
        throw new Error(`${op}: ${file} must be readable, got no such file; check the name`)
      return {
        size: bytes.length,
        async read(start, target) {
          const part = bytes.subarray(start, start + target.length)
          if (part.length < target.length)
            throw new FormatError(
              `${op}: ${file} must have ${target.length} bytes from byte ${start} on, got ${part.length}; it is truncated`,
            )
          target.set(part)
        },
        async close() {},
      }
    },
    async write(list) {
      const contents: [string, Uint8Array<ArrayBuffer>][] = []
      for (const file of list) contents.push([at(file.name), await contentOf(file, at(file.name))])
      for (const [file, content] of contents) files.set(file, content)
    },
    async append(name, content) {
      const file = at(name)
      const old = files.get(file) ?? new Uint8Array()
      files.set(file, joined([old, new TextEncoder().encode(content)]))
    },
    async remove(name) {
      const file = at(name)
      for (const other of files.keys())
        if (other === file || other.startsWith(`${file}/`)) files.delete(other)
    },
    async lock(name) {
      const file = at(name)
      if (locks.has(file))
        throw new LockedError(`lock: ${file} must be free, got a lock that is held; wait for its release`)
      locks.add(file)
      let isHeld = true
      return {
        replaced: undefined,
        async release() {
          if (isHeld) locks.delete(file)
          isHeld = false
        },
      }
    },
  }
}

async function contentOf({ content }: FileToWrite, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let written = 0
  try {
    for await (const chunk of chunksOf(content)) {
      chunks.push(chunk.slice())
      written += chunk.length
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `save: ${file} must be written completely, got ${reason} after ${written} bytes; no file was changed`,
      { cause: error },
    )
  }
  return joined(chunks)
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
