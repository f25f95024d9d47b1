import { nodeFile, nodeStore } from './node/node-store.ts'
import type { FileParts, Store, StoredFile } from './store.ts'

/** Where a folder is: its path in Node's file system, or a store. */
export type FolderPlace = string | Store

/** Where a file is: its path in Node's file system, or its name in a store. */
export type FilePlace = string | StoredFile

/** The store of a folder. Every function that takes a folder begins with this. */
export const storeAt = (folder: FolderPlace): Store =>
  typeof folder === 'string' ? nodeStore(folder) : folder

/** The store and the name of a file. Every function that takes a file begins with this. */
export const fileAt = (file: FilePlace): StoredFile => (typeof file === 'string' ? nodeFile(file) : file)

/** The name of a file in messages. */
export const pathOf = (file: FilePlace): string =>
  typeof file === 'string' ? file : `${file.store.path}/${file.name}`

export async function fileExists(file: FilePlace): Promise<boolean> {
  const { store, name } = fileAt(file)
  return (await store.list()).includes(name)
}

/** Opens a file of any size to read parts of it. Errors begin with `op` and name the file. */
export async function openFileParts(file: FilePlace, op = 'read'): Promise<FileParts> {
  const { store, name } = fileAt(file)
  return store.open(name, op)
}
