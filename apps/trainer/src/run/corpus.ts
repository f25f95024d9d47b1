import { join } from 'node:path'
import {
  loadTokenizer,
  readShards,
  readTextFiles,
  splitHeldOut,
  type Tokenizer,
  type TrainData,
  trainTokenizer,
} from '@tau/train'
import { UsageError } from '../config/errors.ts'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'
import { RUN_FILES } from './folder.ts'

/** Text of a run, split into what is trained on and what is held out. */
export interface Texts {
  readonly train: string
  readonly heldOut: string
}

/** Stands between the texts of two files; a special token of the tokenizers that `tau` trains. */
const SEPARATOR = '<|endoftext|>'

/** Reads the files of the data section and splits off the held-out tail. */
export async function readTexts(data: Config['data']): Promise<Texts> {
  if (data.files.length === 0)
    throw new UsageError(
      'data: there must be a text to read, got no files; pass --data FILE… or set data.files',
    )
  const files = await readTextFiles(data.files.map(userPath))
  return splitHeldOut(files.map((file) => file.text).join(SEPARATOR), data.heldOut)
}

/** The tokenizer that the configuration names, or one trained on the part of the text that is trained on. */
export async function makeTokenizer(
  path: string | undefined,
  vocabSize: number,
  texts: Texts,
): Promise<Tokenizer> {
  if (path !== undefined) return loadTokenizer(userPath(path))
  return trainTokenizer(texts.train, { vocabSize, specialTokens: [SEPARATOR] })
}

/** Token ids of both parts. For a tokenizer without our separator a blank line stands between files. */
export function tokenize({ train, heldOut }: Texts, tokenizer: Tokenizer): TrainData {
  const plain = (text: string) =>
    tokenizer.specialTokens.includes(SEPARATOR) ? text : text.replaceAll(SEPARATOR, '\n\n')
  const val = tokenizer.encode(plain(heldOut))
  return { train: tokenizer.encode(plain(train)), val, bytesPerToken: bytesPerToken(tokenizer, val) }
}

/** UTF-8 bytes per predicted token: the first token of a text is given, not predicted. */
export const bytesPerToken = (tokenizer: Tokenizer, ids: Int32Array): number => {
  const predicted = ids.subarray(1)
  return tokenizer.byteLength(predicted) / predicted.length
}

/** Tokens and tokenizer of a folder that `tau prepare` wrote. */
export async function readPrepared(folder: string): Promise<{ data: TrainData; tokenizer: Tokenizer }> {
  const path = userPath(folder)
  const tokenizer = await loadTokenizer(join(path, RUN_FILES.tokenizer))
  const { train, val } = await readShards(path, tokenizer.vocabSize)
  return { data: { train, val, bytesPerToken: bytesPerToken(tokenizer, val) }, tokenizer }
}
