/** A folder of files behind a small interface. {@link nodeStore} is Node's file system, {@link memoryStore}
 *  is memory, and a page may bring its own.
 *  The file system that browsers keep for an origin (OPFS) fits: a folder is a directory handle, `write` uses
 *  `createWritable`, `open` and `append` use a sync access handle in a worker, and `lock` uses
 *  `navigator.locks`. */
export interface Store {
  /** Its name in messages: the path of a folder, or `memory`. */
  readonly path: string
  /** The store of a folder inside this one. It need not exist: writing its first file creates it. */
  folder(name: string): Store
  /** Names of the files and folders in it, sorted; empty if the folder does not exist. */
  list(): Promise<string[]>
  /** Opens a file to read parts of it. Errors begin with `op` and name the file. */
  open(name: string, op: string): Promise<FileParts>
  /** Replaces files, each in one step: a reader sees the old content or the new content, never a part. No
   *  file is replaced before all contents are stored. So a full disk, or contents that throw, change no file.
   *  Errors begin with `save:`. */
  write(files: readonly FileToWrite[]): Promise<void>
  /** Appends to a file, and creates it if it is missing. If the process is killed, at worst a part of
   *  `content` is written. */
  append(name: string, content: string): Promise<void>
  /** Removes a file, or a folder with everything in it. Removing something that does not exist is not an
   *  error. */
  remove(name: string): Promise<void>
  /** Takes a lock that only one holder in all processes has at a time. Throws {@link LockedError} if another
   *  holder has it. A lock whose holder is gone is taken over, and the result says so. */
  lock(name: string): Promise<StoreLock>
}

/** Bytes of a file, or chunks that are written one after the other. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** A file in a store. */
export interface StoredFile {
  readonly store: Store
  readonly name: string
}

/** A file to write, with its content. */
export interface FileToWrite {
  readonly name: string
  readonly content: FileContent
}

/** A file that is read in parts. */
export interface FileParts {
  /** Bytes of the file when it was opened. */
  readonly size: number
  /** Fills `target` with the bytes from `start` on. Throws FormatError if the file ends before `target` is
   *  full. */
  read(start: number, target: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface StoreLock {
  /** The holder whose lock this one replaced because the holder is gone, in words; undefined if there was
   *  none. */
  readonly replaced: string | undefined
  /** Releases the lock. A second call does nothing. */
  release(): Promise<void>
}

/** Another holder has the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
}

/** Returns the name if it is one part of a path, else throws. So nothing outside a store can be reached
 *  through it. */
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
