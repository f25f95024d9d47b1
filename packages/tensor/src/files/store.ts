/** A folder of files behind one small interface: Node's file system ({@link nodeStore}), memory ({@link memoryStore}), or what a page
 *  has. The file system that a browser keeps for an origin (OPFS) fits it: a folder is a directory handle, `write` is
 *  `createWritable`, `open` and `append` are a sync access handle in a worker, and `lock` is `navigator.locks`. */
export interface Store {
  /** What messages call it: the path of a folder, or `memory`. */
  readonly path: string
  /** The store of a folder in this one. It need not exist: the first file that is written makes it. */
  folder(name: string): Store
  /** Names of the files and folders in it, sorted; none where the folder does not exist. */
  list(): Promise<string[]>
  /** Opens a file to read parts of it. Messages of errors begin with `op` and name the file. */
  open(name: string, op: string): Promise<FileParts>
  /** Replaces files, each in one step: a reader sees the old content or the new, never a part. No file is replaced before the contents
   *  of all are stored; so a full disk, or contents that throw, change none of them. Messages begin with `save:`. */
  write(files: readonly FileToWrite[]): Promise<void>
  /** Adds to the end of a file, which is made if it is missing. A process that is killed leaves a part at worst. */
  append(name: string, content: string): Promise<void>
  /** Removes a file, or a folder with all that is in it. What is not there is no error. */
  remove(name: string): Promise<void>
  /** Takes a lock that one holder has at a time, in all processes. Throws {@link LockedError} where somebody holds it. A lock whose
   *  holder is gone is taken over, and the result says so. */
  lock(name: string): Promise<StoreLock>
}

/** Bytes of a file, or chunks of them that are written one after the other. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** A file to write, with its content. */
export interface FileToWrite {
  readonly name: string
  readonly content: FileContent
}

/** A file that is read in parts. */
export interface FileParts {
  /** Bytes, when it was opened. */
  readonly size: number
  /** Fills `target` with the bytes from `start` on. Throws FormatError where the file ends before it is full. */
  read(start: number, target: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface StoreLock {
  /** Whose lock this one took the place of, in words, because its holder is gone; undefined: there was none. */
  readonly replaced: string | undefined
  /** Gives it back. A second call does nothing. */
  release(): Promise<void>
}

/** Somebody else holds the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
}

/** A name is one step of a path: nothing outside a store can be reached through it. Returns the name. */
export function checkName(store: string, name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name))
    throw new RangeError(
      `store: a name in ${store} must be one part of a path, got ${JSON.stringify(name)}; use folder() for each part before it`,
    )
  return name
}

export async function* chunksOf(content: FileContent): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') yield new TextEncoder().encode(content)
  else if (content instanceof Uint8Array) yield content
  else yield* content
}
