/** A token that is cut out of the text before merges, by its exact content. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Special tokens mark structure, stand for no text, and can be left out when decoding. */
  readonly special: boolean
}

/** What a tokenizer consists of; made by `trainTokenizer` and `Tokenizer.fromJSON`, which check it. */
export interface TokenizerParts {
  /** Bytes of each token, by id; of an added token, its content in UTF-8. */
  readonly tokenBytes: readonly Uint8Array[]
  /** Left, right and merged id of each merge in rank order, [3 · merges]. */
  readonly merges: Int32Array
  readonly addedTokens: readonly AddedToken[]
  /** Puts a space before a text (or the text after an added token) that does not begin with one. */
  readonly addPrefixSpace: boolean
  /** Splits text into words by the GPT-2 pattern first; otherwise merges may span whole texts. */
  readonly useRegex: boolean
  /** Takes a word that is itself a token as that token, whatever the merges say. */
  readonly ignoreMerges: boolean
}
