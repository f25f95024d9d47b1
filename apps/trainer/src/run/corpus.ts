import { join } from 'node:path'
import {
  loadTokenizer,
  readShards,
  readTextFiles,
  splitHeldOut,
  type Tokenizer,
  type TrainData,
} from '@tau/train'
import { UsageError } from '../config/errors.ts'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'
import { RUN_FILES } from './folder.ts'
import { bytesPerToken, learnTokenizer, SEPARATOR } from './tokens.ts'

/** Text of a run, split into what is trained on and what is held out. */
export interface Texts {
  readonly train: string
  readonly heldOut: string
}

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
  return learnTokenizer(vocabSize, texts)
}

/** Tokens and tokenizer of a folder that `tau prepare` wrote. */
export async function readPrepared(folder: string): Promise<{ data: TrainData; tokenizer: Tokenizer }> {
  const path = userPath(folder)
  const tokenizer = await loadTokenizer(join(path, RUN_FILES.tokenizer))
  const { train, val } = await readShards(path, tokenizer.vocabSize)
  return { data: { train, val, bytesPerToken: bytesPerToken(tokenizer, val) }, tokenizer }
}
