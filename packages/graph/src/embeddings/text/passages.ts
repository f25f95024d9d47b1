import { checkInteger } from '../../dense/matrix.ts'
import { GraphError } from '../../errors.ts'

/** A text cut into passages of consecutive words. */
export interface Passages {
  /** distinct words, lower case, by first appearance */
  words: string[]
  /** word index of every token of the text */
  tokens: Int32Array
  /** passage p is tokens[bounds[p] .. bounds[p + 1]) */
  bounds: Int32Array
}

// A word is letters, marks and digits, with apostrophes inside. Han and kana are written without spaces, so
// there each character is a word.
const SPACELESS = '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}]'
const WORD = `(?:(?!${SPACELESS})[\\p{L}\\p{M}\\p{N}])+`
const WORDS = new RegExp(`${SPACELESS}|${WORD}(?:['’]${WORD})*`, 'gu')

/** The words of a text in their order, in lower case. */
export const wordsOf = (text: string): string[] =>
  Array.from(text.matchAll(WORDS), ([match]) => match.toLowerCase())

/** Cuts a text into passages of `passageTokens` words. A last passage of less than half of that joins the
 *  passage before it.
 *  Throws GraphError if the text gives fewer than two passages. */
export const cutPassages = (text: string, passageTokens: number): Passages => {
  checkInteger('textEmbeddings', 'passageTokens', passageTokens, 1, 2 ** 24, 'use 64')
  const indexOf = new Map<string, number>()
  let tokens = new Int32Array(1024)
  let count = 0
  for (const [match] of text.matchAll(WORDS)) {
    const word = match.toLowerCase()
    let index = indexOf.get(word)
    if (index === undefined) {
      index = indexOf.size
      indexOf.set(word, index)
    }
    if (count === tokens.length) {
      const longer = new Int32Array(2 * count)
      longer.set(tokens)
      tokens = longer
    }
    tokens[count++] = index
  }
  const full = Math.floor(count / passageTokens)
  const passages = count % passageTokens >= passageTokens / 2 ? full + 1 : full
  if (passages < 2) {
    throw new GraphError(
      `textEmbeddings: the text must give at least 2 passages of ${passageTokens} words, got ${count} words; ` +
        'lower passageTokens or add text',
    )
  }
  const bounds = Int32Array.from({ length: passages + 1 }, (_, p) => p * passageTokens)
  bounds[passages] = count
  return { words: [...indexOf.keys()], tokens: tokens.slice(0, count), bounds }
}
