import { type FilePlace, pathOf, readJson, writeFileAtomic } from '@tau/tensor/files'
import { Tokenizer } from './tokenizer.ts'

/** Writes the tokenizer as a tokenizer.json in Hugging Face's format. The write is atomic: if it fails, the
 *  old file stays. */
export async function saveTokenizer(tokenizer: Tokenizer, file: FilePlace): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(tokenizer, null, 2)}\n`)
}

/** Reads a tokenizer.json. Errors name the file and the entry in it. */
export async function loadTokenizer(file: FilePlace): Promise<Tokenizer> {
  const json = await readJson(file)
  try {
    return Tokenizer.fromJSON(json)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`loadTokenizer: ${pathOf(file)}: ${reason}`, { cause: error })
  }
}
