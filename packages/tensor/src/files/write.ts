import { type FilePlace, fileAt } from './place.ts'
import type { FileContent } from './store.ts'

/** Replaces a file in one step, as {@link Store.write} does. Its folder is created if it is missing. */
export async function writeFileAtomic(file: FilePlace, content: FileContent): Promise<void> {
  const { store, name } = fileAt(file)
  await store.write([{ name, content }])
}
