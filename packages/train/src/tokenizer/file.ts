import { type FilePlace, pathOf, readJson, writeFileAtomic } from '@tau/tensor/files'
import { Tokenizer } from './tokenizer.ts'

/** Writes the tokenizer as tokenizer.json in Hugging Face's format, whole or not at all. */
export async function saveTokenizer(tokenizer: Tokenizer, file: FilePlace): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(tokenizer, null, 2)}\n`)
}

/** Reads a tokenizer.json; errors name the file and, inside it, the entry. */
export async function loadTokenizer(file: FilePlace): Promise<Tokenizer> {
  const json = await readJson(file)
  try {
    return Tokenizer.fromJSON(json)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`loadTokenizer: ${pathOf(file)}: ${reason}`, { cause: error })
  }
}
