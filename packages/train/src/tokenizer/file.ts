import { readJson, writeFileAtomic } from '@tau/tensor'
import { Tokenizer } from './tokenizer.ts'

/** Writes the tokenizer as tokenizer.json in Hugging Face's format, whole or not at all. Node only. */
export async function saveTokenizer(tokenizer: Tokenizer, path: string): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(tokenizer, null, 2)}\n`)
}

/** Reads a tokenizer.json; errors name the file and, inside it, the entry. Node only. */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const json = await readJson(path)
  try {
    return Tokenizer.fromJSON(json)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`loadTokenizer: ${path}: ${reason}`, { cause: error })
  }
}
