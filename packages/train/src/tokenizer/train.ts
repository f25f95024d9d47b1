import { byteOrder, isAmbiguousToken } from './byte-level.ts'
import { Heap } from './heap.ts'
import { Tokenizer } from './tokenizer.ts'
import { detached, forEachSection, forEachWord, tokenSplitter, utf8 } from './words.ts'

export interface TrainTokenizerOptions {
  /** Number of tokens to learn, including the special tokens and the 256 bytes. From specialTokens.length +
   *  256 to 2²⁴. */
  readonly vocabSize: number
  /** Default ['<|endoftext|>']. They get the first ids, from 0. Where they occur in the texts, they are
   *  skipped. */
  readonly specialTokens?: readonly string[]
  /** A pair that occurs less often is not merged, so training may end with fewer tokens. Default 2. */
  readonly minFrequency?: number
  /** Called after every 256 merges, and at the end. */
  readonly onProgress?: (progress: TrainTokenizerProgress) => void
}

export interface TrainTokenizerProgress {
  /** Tokens so far. */
  readonly vocabSize: number
  /** Tokens wanted. */
  readonly targetVocabSize: number
}

const MAX_VOCAB_SIZE = 2 ** 24
const MERGES_PER_REPORT = 256

/** Learns a byte-level BPE tokenizer. Each round merges the most frequent pair of adjacent tokens inside
 *  words into a new token. If counts are equal, the smaller left id wins, then the smaller right id.
 *
 *   Ids: first the special tokens, then the 256 bytes in the order of their printable characters, then the
 *   merged tokens in the order they were learned. The same texts and options give the same tokenizer. It
 *   equals the one of Hugging Face's BpeTrainer (0.23) with ByteLevel.alphabet() as initial alphabet, with
 *   one exception: special tokens inside the texts are cut out first. If the texts have no more pairs, the
 *   result has fewer than `vocabSize` tokens. Its `vocabSize` says how many. */
export function trainTokenizer(texts: string | Iterable<string>, options: TrainTokenizerOptions): Tokenizer {
  if (options === undefined)
    throw new RangeError(
      'trainTokenizer: options must say vocabSize, got none; write trainTokenizer(texts, { vocabSize: 1024 })',
    )
  const { vocabSize, specialTokens = ['<|endoftext|>'], minFrequency = 2, onProgress } = options
  checkSpecialTokens(specialTokens)
  const smallest = 256 + specialTokens.length
  if (!Number.isInteger(vocabSize) || vocabSize < smallest || vocabSize > MAX_VOCAB_SIZE) {
    throw new RangeError(
      `trainTokenizer: vocabSize must be an integer from ${smallest} (256 bytes and ${specialTokens.length} special ` +
        `tokens) to ${MAX_VOCAB_SIZE}, got ${vocabSize}; choose one in that range`,
    )
  }
  if (!Number.isInteger(minFrequency) || minFrequency < 1) {
    throw new RangeError(
      `trainTokenizer: minFrequency must be an integer of at least 1, got ${minFrequency}; 2 is usual`,
    )
  }
  const tokenBytes = specialTokens.map(utf8)
  for (const byte of byteOrder) tokenBytes.push(Uint8Array.of(byte))
  const words = countWords(typeof texts === 'string' ? [texts] : texts, tokenSplitter(specialTokens))
  if (words.size === 0) {
    throw new Error('trainTokenizer: texts must have at least one character, got none; check the input files')
  }
  const report = () => onProgress?.({ vocabSize: tokenBytes.length, targetVocabSize: vocabSize })
  const merges = learnMerges(words, {
    tokenBytes,
    firstByteId: specialTokens.length,
    vocabSize,
    minFrequency,
    report,
  })
  report()
  const addedTokens = specialTokens.map((content, id) => ({ id, content, special: true }))
  return new Tokenizer({
    tokenBytes,
    merges: Int32Array.from(merges),
    addedTokens,
    addPrefixSpace: false,
    useRegex: true,
    ignoreMerges: false,
  })
}

function checkSpecialTokens(tokens: readonly string[]): void {
  tokens.forEach((token, i) => {
    const rule = brokenRule(token, i, tokens)
    if (rule === undefined) return
    throw new Error(
      `trainTokenizer: specialTokens ${rule}, got ${JSON.stringify(token)} at ${i}; use a name like "<|endoftext|>"`,
    )
  })
}

function brokenRule(token: string, index: number, tokens: readonly string[]): string | undefined {
  if (token === '') return 'must not be empty'
  if (/\p{Surrogate}/u.test(token)) return 'must be well-formed Unicode'
  if (tokens.indexOf(token) !== index) return 'must differ from each other'
  if (token.length === 1 || isAmbiguousToken(token)) return 'must not read as bytes of the vocabulary'
  return undefined
}

function countWords(texts: Iterable<string>, splitter: RegExp | undefined): Map<string, number> {
  const counts = new Map<string, number>()
  const countWord = (word: string) => {
    const count = counts.get(word)
    // For a known word, Map.set keeps the old key object. For a new word, the key must not keep the whole
    // text alive.
    const key = count === undefined ? detached(utf8(word)) : word
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  let index = 0
  for (const text of texts) {
    if (typeof text !== 'string') {
      throw new TypeError(
        `trainTokenizer: texts must be strings, got ${typeof text} at ${index}; decode bytes first`,
      )
    }
    const learn = (section: string) => forEachWord(section, countWord)
    forEachSection(text, splitter, learn, () => {})
    index++
  }
  return counts
}

interface Pair {
  readonly left: number
  readonly right: number
  /** Occurrences in the texts. */
  count: number
  /** Words in which the pair was found. Some of them may have lost it since. */
  words: number[]
}

interface Candidate {
  readonly pair: Pair
  /** The pair's count when the candidate was made. */
  readonly count: number
}

interface MergeOptions {
  /** Bytes of the tokens. Learned tokens are appended. */
  readonly tokenBytes: Uint8Array[]
  readonly firstByteId: number
  readonly vocabSize: number
  readonly minFrequency: number
  readonly report: () => void
}

/** Returns left, right and merged id of each merge, in order. The counts of all pairs are always exact: a
 *  merge visits only words that have the pair, and updates only the pairs beside it. A candidate in the heap
 *  becomes stale if its count changes. It is corrected when it reaches the top. */
function learnMerges(words: ReadonlyMap<string, number>, options: MergeOptions): number[] {
  const { tokenBytes, vocabSize, minFrequency } = options
  const corpus = splitIntoBytes(words, options.firstByteId)
  const pairs = new Map<number, Pair>()
  const heap = new Heap<Candidate>(precedes)
  const merges: number[] = []
  const grown = new Set<Pair>()

  const change = (left: number, right: number, amount: number, word: number) => {
    const key = left * MAX_VOCAB_SIZE + right
    let pair = pairs.get(key)
    if (pair === undefined) {
      pair = { left, right, count: 0, words: [] }
      pairs.set(key, pair)
    }
    pair.count += amount
    if (amount < 0) return
    if (pair.words.at(-1) !== word) pair.words.push(word)
    grown.add(pair)
  }
  const offerGrown = () => {
    for (const pair of grown) if (pair.count > 0) heap.push({ pair, count: pair.count })
    grown.clear()
  }

  for (let word = 0; word < corpus.counts.length; word++) {
    for (let i = corpus.starts[word]; i + 1 < corpus.ends[word]; i++) {
      change(corpus.ids[i], corpus.ids[i + 1], corpus.counts[word], word)
    }
  }
  offerGrown()

  while (tokenBytes.length < vocabSize) {
    const top = heap.pop()
    if (top === undefined) break
    const { pair, count } = top
    if (count !== pair.count) {
      if (pair.count > 0) heap.push({ pair, count: pair.count })
      continue
    }
    if (count < minFrequency) break
    // No other pair makes the same bytes, so the token is new. Reason: while the two ends of a piece of text
    // stay token ends, the merges inside it do not depend on the text around it.
    const id = tokenBytes.length
    tokenBytes.push(new Uint8Array([...tokenBytes[pair.left], ...tokenBytes[pair.right]]))
    merges.push(pair.left, pair.right, id)
    for (const word of pair.words) mergeInWord(corpus, word, pair, id, change)
    pair.words = []
    pair.count = 0
    offerGrown()
    if (merges.length % (3 * MERGES_PER_REPORT) === 0) options.report()
  }
  return merges
}

function precedes(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count
  if (a.pair.left !== b.pair.left) return a.pair.left < b.pair.left
  return a.pair.right < b.pair.right
}

/** Words as ids, one after the other. Word w is ids[starts[w]] to ids[ends[w] − 1] and occurs counts[w]
 *  times. */
interface Corpus {
  readonly ids: Int32Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly counts: Float64Array
}

function splitIntoBytes(words: ReadonlyMap<string, number>, firstByteId: number): Corpus {
  const idOfByte = new Int32Array(256)
  byteOrder.forEach((byte, i) => {
    idOfByte[byte] = firstByteId + i
  })
  const bytes = Array.from(words.keys(), utf8)
  const starts = new Int32Array(words.size)
  const ends = new Int32Array(words.size)
  let length = 0
  bytes.forEach((word, w) => {
    starts[w] = length
    length += word.length
    ends[w] = length
  })
  const ids = new Int32Array(length)
  bytes.forEach((word, w) => {
    for (let i = 0; i < word.length; i++) ids[starts[w] + i] = idOfByte[word[i]]
  })
  return { ids, starts, ends, counts: Float64Array.from(words.values()) }
}

/** Merges every occurrence of the pair in a word, from the left. Tells `change` which neighbouring pairs
 *  disappear and which appear. */
function mergeInWord(
  corpus: Corpus,
  word: number,
  { left, right }: Pair,
  merged: number,
  change: (left: number, right: number, amount: number, word: number) => void,
): void {
  const { ids, starts, ends } = corpus
  const count = corpus.counts[word]
  const start = starts[word]
  const end = ends[word]
  let to = start
  for (let from = start; from < end; ) {
    if (ids[from] !== left || from + 1 === end || ids[from + 1] !== right) {
      ids[to++] = ids[from++]
      continue
    }
    if (to > start) {
      change(ids[to - 1], left, -count, word)
      change(ids[to - 1], merged, count, word)
    }
    if (from + 2 < end) {
      change(right, ids[from + 2], -count, word)
      change(merged, ids[from + 2], count, word)
    }
    ids[to++] = merged
    from += 2
  }
  ends[word] = to
}
