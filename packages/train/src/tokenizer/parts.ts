/** A token that is recognised by its exact content. It is cut out of the text before merges. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** A special token marks structure and stands for no text. Decoding can leave it out. */
  readonly special: boolean
}

/** The parts of a tokenizer. `trainTokenizer` and `Tokenizer.fromJSON` make and check them. */
export interface TokenizerParts {
  /** Bytes of each token, by id. For an added token, its content in UTF-8. */
  readonly tokenBytes: readonly Uint8Array[]
  /** Left, right and merged id of each merge, in rank order, [3 · merges]. */
  readonly merges: Int32Array
  readonly addedTokens: readonly AddedToken[]
  /** Puts a space before a text, and before the text after an added token, if it does not begin with a
   *  space. */
  readonly addPrefixSpace: boolean
  /** Splits text into words by the GPT-2 pattern first. Without it, merges may cross the borders of words. */
  readonly useRegex: boolean
  /** If a whole word is a token, encodes it as that token without applying merges. */
  readonly ignoreMerges: boolean
}
