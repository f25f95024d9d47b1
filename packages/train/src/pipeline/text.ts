import { type FilePlace, type FolderPlace, storeAt } from '@tau/tensor/files'
import { readShards, type ShardHeader, writeShards } from '../data/shards.ts'
import { readTextFiles, splitHeldOut } from '../data/text.ts'
import type { TrainData } from '../loop/train.ts'
import { loadTokenizer, saveTokenizer } from '../tokenizer/file.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { trainTokenizer } from '../tokenizer/train.ts'
import { RUN_FILES } from './run-files.ts'

/** Separates the texts of two files. It is a special token of the tokenizers that {@link learnTokenizer}
 *  makes. */
const SEPARATOR = '<|endoftext|>'

/** Text of a run, split into a training part and a held-out part. */
export interface Texts {
  readonly train: string
  readonly heldOut: string
}

/** A tokenizer, and the token ids of a text. */
export interface Tokens {
  readonly tokenizer: Tokenizer
  readonly data: TrainData
}

/** Reads text files and splits off the held-out tail. */
export async function readTexts(files: readonly FilePlace[], heldOut: number): Promise<Texts> {
  const texts = await readTextFiles(files)
  return splitHeldOut(texts.map(({ text }) => text).join(SEPARATOR), heldOut)
}

/** Learns a tokenizer from the training part of the text. */
export const learnTokenizer = (vocabSize: number, { train }: Texts): Tokenizer =>
  trainTokenizer(train, { vocabSize, specialTokens: [SEPARATOR] })

/** Token ids of both parts. If the tokenizer lacks our separator, a blank line separates files instead. */
export function tokenize({ train, heldOut }: Texts, tokenizer: Tokenizer): TrainData {
  const plain = (text: string) =>
    tokenizer.specialTokens.includes(SEPARATOR) ? text : text.replaceAll(SEPARATOR, '\n\n')
  const val = tokenizer.encode(plain(heldOut))
  return { train: tokenizer.encode(plain(train)), val, bytesPerToken: bytesPerToken(tokenizer, val) }
}

/** UTF-8 bytes per predicted token. The first token of a text does not count, because it is given, not
 *  predicted. */
export function bytesPerToken(tokenizer: Tokenizer, ids: Int32Array): number {
  const predicted = ids.subarray(1)
  return tokenizer.byteLength(predicted) / predicted.length
}

/** Writes tokens and tokenizer into a folder that many runs can share: see {@link writeShards}. */
export async function writePrepared(
  folder: FolderPlace,
  { tokenizer, data: { train, val } }: Tokens,
  shardTokens: number,
): Promise<ShardHeader> {
  const store = storeAt(folder)
  const header = await writeShards(store, { train, val, vocabSize: tokenizer.vocabSize, shardTokens })
  await saveTokenizer(tokenizer, { store, name: RUN_FILES.tokenizer })
  return header
}

/** Reads tokens and tokenizer from a folder that {@link writePrepared} wrote. */
export async function readPrepared(folder: FolderPlace): Promise<Tokens> {
  const store = storeAt(folder)
  const tokenizer = await loadTokenizer({ store, name: RUN_FILES.tokenizer })
  const { train, val } = await readShards(store, tokenizer.vocabSize)
  return { tokenizer, data: { train, val, bytesPerToken: bytesPerToken(tokenizer, val) } }
}
