/** Pre-tokenisation: the pieces of text inside which merges may happen. */

// GPT-2's pattern as Hugging Face's ByteLevel pre-tokenizer uses it. Every character is in exactly one piece.
// JavaScript's \s has U+FEFF and lacks U+0085; the Rust library has it the other way round. We agree with
// @huggingface/tokenizers, which runs the same JavaScript pattern.
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/uy

/** Calls `visit` with each word of `text`, in order. */
export function forEachWord(text: string, visit: (word: string) => void): void {
  // A fresh object, as `visit` may come back here and lastIndex is state.
  const pattern = new RegExp(WORDS)
  let start = 0
  while (pattern.test(text)) {
    visit(text.slice(start, pattern.lastIndex))
    start = pattern.lastIndex
  }
}

/** Splits text at the leftmost, then longest, occurrences of `tokens`; undefined when there are no tokens. */
export function tokenSplitter(tokens: readonly string[]): RegExp | undefined {
  if (tokens.length === 0) return undefined
  const longestFirst = [...tokens].sort((a, b) => b.length - a.length)
  return new RegExp(longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'g')
}

/** Calls `onText` for the stretches of text between tokens (never empty) and `onToken` for the tokens, in order. */
export function forEachSection(
  text: string,
  splitter: RegExp | undefined,
  onText: (section: string) => void,
  onToken: (token: string) => void,
): void {
  let start = 0
  if (splitter !== undefined) {
    for (const match of text.matchAll(splitter)) {
      if (match.index > start) onText(text.slice(start, match.index))
      onToken(match[0])
      start = match.index + match[0].length
    }
  }
  if (start < text.length) onText(start === 0 ? text : text.slice(start))
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** UTF-8 bytes of text; a lone surrogate becomes U+FFFD. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** The word with memory of its own. A slice of 13 characters or more keeps the whole text alive in V8, so a word
 *  that outlives its text (a cache key, a count) is rebuilt from its bytes. Lone surrogates become U+FFFD. */
export const detached = (bytes: Uint8Array): string => decoder.decode(bytes)
