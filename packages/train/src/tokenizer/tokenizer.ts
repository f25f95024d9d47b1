import { toByteLevel } from './byte-level.ts'
import { parseTokenizerJson, type TokenizerJson, toTokenizerJson } from './json.ts'
import { MergeTable } from './merge.ts'
import type { TokenizerParts } from './parts.ts'
import { detached, forEachSection, forEachWord, tokenSplitter, utf8 } from './words.ts'

export interface DecodeOptions {
  /** Leaves special tokens out. Default false. */
  readonly skipSpecialTokens?: boolean
}

/** Decodes a text in pieces. Each call returns the characters that became complete. */
export interface StreamDecoder {
  push(ids: number | ArrayLike<number>): string
  /** Returns the rest: '', or U+FFFD for bytes that never became a character. After that the decoder can be
   *  used again. */
  end(): string
}

// Words of natural text repeat. With a cache most words need only a lookup.
const CACHED_WORDS = 1 << 16
const CACHED_WORD_LENGTH = 64

/** Byte-level BPE: text → UTF-8 bytes → merges in the order they were learned → ids in [0, vocabSize).
 *
 *   Every text can be encoded, and `decode(encode(text))` is the text again. Lone surrogates have no UTF-8
 *   form and become U+FFFD. Ids equal those of Hugging Face's `@huggingface/tokenizers` for the same
 *   tokenizer.json. {@link trainTokenizer}, `loadTokenizer` and {@link Tokenizer.fromJSON} make one. Runs in
 *   Node and browsers. Source: Sennrich et al. 2016 (arXiv:1508.07909) on the bytes of GPT-2 (Radford et al.
 *   2019). */
export class Tokenizer {
  /** Number of ids. */
  readonly vocabSize: number
  /** Contents of the special tokens, in order of id. */
  readonly specialTokens: readonly string[]
  /** Number of text bytes that each id stands for, [vocabSize]; 0 for special tokens. */
  readonly tokenByteLengths: Int32Array
  readonly #parts: TokenizerParts
  readonly #merges: MergeTable
  readonly #names: readonly string[]
  readonly #idOfName: ReadonlyMap<string, number>
  readonly #idOfByte: Int32Array
  readonly #isSpecial: Uint8Array
  readonly #splitter: RegExp | undefined
  readonly #cache = new Map<string, Int32Array>()

  constructor(parts: TokenizerParts) {
    this.#parts = parts
    this.vocabSize = parts.tokenBytes.length
    this.#merges = new MergeTable(parts.merges, this.vocabSize)
    const names = parts.tokenBytes.map(toByteLevel)
    this.tokenByteLengths = Int32Array.from(parts.tokenBytes, (bytes) => bytes.length)
    this.#isSpecial = new Uint8Array(this.vocabSize)
    for (const { id, content, special } of parts.addedTokens) {
      names[id] = content
      if (!special) continue
      this.#isSpecial[id] = 1
      this.tokenByteLengths[id] = 0
    }
    this.#names = names
    this.#idOfName = new Map(names.map((name, id) => [name, id]))
    this.#idOfByte = Int32Array.from(
      { length: 256 },
      (_, byte) => this.idOf(toByteLevel(Uint8Array.of(byte))) ?? -1,
    )
    this.specialTokens = names.filter((_, id) => this.#isSpecial[id] === 1)
    this.#splitter = tokenSplitter(parts.addedTokens.map((token) => token.content))
  }

  /** Reads Hugging Face's tokenizer.json, as text or parsed: byte-level BPE, merges as 'a b' or ['a', 'b'].
   *  Throws if the file is damaged or contradicts itself. Also throws if the file needs a part that is
   *  missing here and would change the ids: a normalizer, another pre-tokenizer, or tokens added around every
   *  text. The error names the entry. */
  static fromJSON(json: unknown): Tokenizer {
    return new Tokenizer(parseTokenizerJson(json))
  }

  /** This tokenizer in Hugging Face's tokenizer.json format. `JSON.stringify(tokenizer)` is the text of the
   *  file. */
  toJSON(): TokenizerJson {
    return toTokenizerJson(this.#parts, this.#names)
  }

  /** Id of a token in the spelling of tokenizer.json, such as '<|endoftext|>', or 'Ġthe' for ' the'.
   *  Undefined if there is no such token. */
  idOf(token: string): number | undefined {
    return this.#idOfName.get(token)
  }

  /** The token of an id, in the spelling of tokenizer.json. */
  tokenOf(id: number): string {
    return this.#names[this.#checkId(id, 'tokenOf')]
  }

  /** Ids of a text. Special tokens are recognised by their content, as in Hugging Face's encode. So remove
   *  them from text that you do not trust. */
  encode(text: string): Int32Array {
    if (typeof text !== 'string') {
      throw new TypeError(`encode: text must be a string, got ${typeof text}; decode bytes first`)
    }
    let ids = new Int32Array(16 + (text.length >> 1))
    let length = 0
    const append = (word: Int32Array) => {
      if (length + word.length > ids.length) {
        const larger = new Int32Array(2 * (length + word.length))
        larger.set(ids)
        ids = larger
      }
      for (let i = 0; i < word.length; i++) ids[length++] = word[i]
    }
    const encodeWord = (word: string) => append(this.#cache.get(word) ?? this.#encodeWord(word))
    const encodeSection = (section: string) => {
      const spaced = this.#parts.addPrefixSpace && !section.startsWith(' ') ? ` ${section}` : section
      if (this.#parts.useRegex) forEachWord(spaced, encodeWord)
      else encodeWord(spaced)
    }
    forEachSection(text, this.#splitter, encodeSection, (token) =>
      append(Int32Array.of(this.#idOfName.get(token)!)),
    )
    return ids.slice(0, length)
  }

  /** Text of ids. A model can produce bytes that are not UTF-8; they become U+FFFD.
   *  Throws if an id is not an integer in [0, vocabSize). */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    return detached(this.#bytesOf(ids, options, 'decode'))
  }

  /** A decoder for generation, token by token. It keeps the bytes of an incomplete character until the rest
   *  arrives. */
  decodeStream(options: DecodeOptions = {}): StreamDecoder {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    return {
      push: (ids) => {
        const bytes = this.#bytesOf(typeof ids === 'number' ? [ids] : ids, options, 'decodeStream')
        return decoder.decode(bytes, { stream: true })
      },
      end: () => decoder.decode(),
    }
  }

  /** Number of UTF-8 bytes of the text that the ids stand for. Special tokens do not count.
   *  Bits per byte = (summed loss of these ids in nats) / (ln 2 · byteLength). */
  byteLength(ids: ArrayLike<number>): number {
    let sum = 0
    for (let i = 0; i < ids.length; i++) sum += this.tokenByteLengths[this.#checkId(ids[i], 'byteLength')]
    return sum
  }

  #encodeWord(word: string): Int32Array {
    const bytes = utf8(word)
    const whole = this.#parts.ignoreMerges ? this.#idOfName.get(toByteLevel(bytes)) : undefined
    const ids = whole === undefined ? this.#mergeBytes(bytes) : Int32Array.of(whole)
    if (word.length <= CACHED_WORD_LENGTH) {
      if (this.#cache.size >= CACHED_WORDS) this.#cache.clear()
      this.#cache.set(detached(bytes), ids)
    }
    return ids
  }

  #mergeBytes(bytes: Uint8Array): Int32Array {
    const ids = new Int32Array(bytes.length)
    for (let i = 0; i < bytes.length; i++) {
      const id = this.#idOfByte[bytes[i]]
      if (id < 0) {
        const hex = bytes[i].toString(16).padStart(2, '0')
        throw new Error(
          `encode: the vocabulary must have a token for every byte of the text, got none for 0x${hex} ` +
            `in ${JSON.stringify(detached(bytes.subarray(0, 40)))}; train with the whole byte alphabet`,
        )
      }
      ids[i] = id
    }
    return ids.slice(0, this.#merges.apply(ids))
  }

  #bytesOf(ids: ArrayLike<number>, options: DecodeOptions, op: string): Uint8Array {
    const skips = options.skipSpecialTokens ?? false
    const pieces: Uint8Array[] = []
    let length = 0
    for (let i = 0; i < ids.length; i++) {
      const id = this.#checkId(ids[i], op)
      if (skips && this.#isSpecial[id] === 1) continue
      pieces.push(this.#parts.tokenBytes[id])
      length += this.#parts.tokenBytes[id].length
    }
    const bytes = new Uint8Array(length)
    let at = 0
    for (const piece of pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    return bytes
  }

  #checkId(id: number, op: string): number {
    if (Number.isInteger(id) && id >= 0 && id < this.vocabSize) return id
    throw new RangeError(
      `${op}: a token id must be an integer from 0 to ${this.vocabSize - 1}, got ${id}; ` +
        'use the tokenizer that made the ids',
    )
  }
}
