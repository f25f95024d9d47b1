/** Pre-tokenisation: splits text into words. Merges happen only inside a word. */

// GPT-2's pattern, as Hugging Face's ByteLevel pre-tokenizer uses it. Every character is in exactly one word.
// JavaScript's \s includes U+FEFF and lacks U+0085. The Rust library includes U+0085 and lacks U+FEFF. Our
// words are those of @huggingface/tokenizers, because it runs the same JavaScript pattern.
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/uy

/** Calls `visit` with each word of `text`, in order. */
export function forEachWord(text: string, visit: (word: string) => void): void {
  // A new RegExp object for each call, because lastIndex is state and `visit` may call this function again.
  const pattern = new RegExp(WORDS)
  let start = 0
  while (pattern.test(text)) {
    visit(text.slice(start, pattern.lastIndex))
    start = pattern.lastIndex
  }
}

/** A pattern that matches `tokens` in a text: the leftmost match first, and the longest of those that start
 *  there. Undefined if there are no tokens. */
export function tokenSplitter(tokens: readonly string[]): RegExp | undefined {
  if (tokens.length === 0) return undefined
  const longestFirst = [...tokens].sort((a, b) => b.length - a.length)
  return new RegExp(longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'g')
}

/** Calls `onText` for each piece of text between tokens, and `onToken` for each token, in order. A piece is
 *  never empty. */
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

/** UTF-8 bytes of a text. A lone surrogate becomes U+FFFD. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** Makes a string from bytes, with memory of its own. In V8 a slice of 13 characters or more keeps the whole
 *  text alive. So a word that lives longer than its text (a cache key, a count) is rebuilt from its bytes.
 *  Lone surrogates become U+FFFD. */
export const detached = (bytes: Uint8Array): string => decoder.decode(bytes)
