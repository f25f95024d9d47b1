import { type Tokenizer, type TrainData, trainTokenizer } from '@tau/train'
import type { Texts } from './corpus.ts'

/** Stands between the texts of two files; a special token of the tokenizers that `tau` trains. */
export const SEPARATOR = '<|endoftext|>'

/** A tokenizer learned from the part of the text that is trained on. */
export const learnTokenizer = (vocabSize: number, { train }: Texts): Tokenizer =>
  trainTokenizer(train, { vocabSize, specialTokens: [SEPARATOR] })

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
