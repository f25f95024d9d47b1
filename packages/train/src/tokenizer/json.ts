/** Reads and writes Hugging Face's tokenizer.json, as far as byte-level BPE needs it. Everything is checked,
 *  because files come from outside. A setting that would change ids is refused, not ignored. */
import { fromByteLevel, isAmbiguousToken } from './byte-level.ts'
import type { AddedToken, TokenizerParts } from './parts.ts'
import { utf8 } from './words.ts'

/** The result of `Tokenizer.toJSON`. It has the same fields that Hugging Face's libraries write for
 *  byte-level BPE. */
export interface TokenizerJson {
  readonly version: '1.0'
  readonly truncation: null
  readonly padding: null
  readonly added_tokens: readonly {
    readonly id: number
    readonly content: string
    readonly single_word: false
    readonly lstrip: false
    readonly rstrip: false
    readonly normalized: false
    readonly special: boolean
  }[]
  readonly normalizer: null
  readonly pre_tokenizer: ByteLevelJson
  readonly post_processor: null
  readonly decoder: ByteLevelJson
  readonly model: {
    readonly type: 'BPE'
    readonly dropout: null
    readonly unk_token: null
    readonly continuing_subword_prefix: null
    readonly end_of_word_suffix: null
    readonly fuse_unk: false
    readonly byte_fallback: false
    readonly ignore_merges: boolean
    readonly vocab: Readonly<Record<string, number>>
    readonly merges: readonly (readonly [string, string])[]
  }
}

interface ByteLevelJson {
  readonly type: 'ByteLevel'
  readonly add_prefix_space: boolean
  readonly trim_offsets: boolean
  readonly use_regex: boolean
}

type Fields = Readonly<Record<string, unknown>>

/** Content of tokenizer.json for a tokenizer. `names` are the tokens by id, in the spelling of the file. */
export function toTokenizerJson(parts: TokenizerParts, names: readonly string[]): TokenizerJson {
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: parts.addPrefixSpace,
    trim_offsets: true,
    use_regex: parts.useRegex,
  } as const
  const merges = Array.from(
    { length: parts.merges.length / 3 },
    (_, rank) => [names[parts.merges[3 * rank]], names[parts.merges[3 * rank + 1]]] as const,
  )
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: parts.addedTokens.map(({ id, content, special }) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: parts.ignoreMerges,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges,
    },
  }
}

/** Checks a tokenizer.json (text or parsed) and returns the tokenizer's parts. */
export function parseTokenizerJson(json: unknown): TokenizerParts {
  const file = fieldsOf(typeof json === 'string' ? parseJson(json) : json, 'the file')
  const byteLevel = readByteLevel(file)
  const model = readModel(file)
  const vocab = fieldsOf(model.vocab, 'model.vocab')
  const addedTokens = readAddedTokens(file.added_tokens ?? [], vocab)
  const { idOf, tokenBytes } = readVocab(vocab, addedTokens)
  const merges = readMerges(model.merges, idOf)
  return { tokenBytes, merges, addedTokens, ...byteLevel, ignoreMerges: isOn(model, 'model.ignore_merges') }
}

function fail(rule: string, got: unknown, next: string): never {
  throw new Error(`tokenizer.json: ${rule}, got ${show(got)}; ${next}`)
}

function show(value: unknown): string {
  const text = typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value)
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`
}

const DAMAGED = 'the file is damaged: save it again'
const UNSUPPORTED = 'use a file of plain byte-level BPE, because no other kind can be loaded'

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`tokenizer.json: the file must be JSON, got ${reason}; ${DAMAGED}`, { cause: error })
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(`${what} must be an object`, value, DAMAGED)
  }
  return value as Fields
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) fail(`${what} must be an array`, value, DAMAGED)
  return value
}

/** Value of a boolean field. The name of the field is the last word of `what`. A missing field, or null,
 *  gives `fallback`. */
function isOn(fields: Fields, what: string, fallback = false): boolean {
  const value = fields[what.slice(what.lastIndexOf('.') + 1)] ?? fallback
  if (typeof value !== 'boolean') fail(`${what} must be true or false`, value, DAMAGED)
  return value
}

function requireType(file: Fields, name: string, allowed: readonly unknown[]): void {
  const part = file[name] ?? null
  const type = part === null ? null : fieldsOf(part, name).type
  if (!allowed.includes(type))
    fail(`${name} must be of type ${allowed.map(show).join(' or ')}`, type, UNSUPPORTED)
}

function readByteLevel(file: Fields): { addPrefixSpace: boolean; useRegex: boolean } {
  requireType(file, 'normalizer', [null])
  requireType(file, 'pre_tokenizer', ['ByteLevel'])
  // A byte-level post-processor only moves offsets. Any other post-processor adds tokens.
  requireType(file, 'post_processor', [null, 'ByteLevel'])
  requireType(file, 'decoder', [null, 'ByteLevel'])
  const preTokenizer = fieldsOf(file.pre_tokenizer, 'pre_tokenizer')
  return {
    addPrefixSpace: isOn(preTokenizer, 'pre_tokenizer.add_prefix_space'),
    useRegex: isOn(preTokenizer, 'pre_tokenizer.use_regex', true),
  }
}

function readModel(file: Fields): Fields {
  const model = fieldsOf(file.model, 'model')
  // Files from before 2021 have no type. They count as BPE, and then must have merges.
  if ((model.type ?? 'BPE') !== 'BPE') fail('model.type must be "BPE"', model.type, UNSUPPORTED)
  for (const name of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = model[name] ?? null
    if (value !== null && value !== '' && value !== 0) fail(`model.${name} must be null`, value, UNSUPPORTED)
  }
  return model
}

function readAddedTokens(value: unknown, vocab: Fields): AddedToken[] {
  const contents = new Set<string>()
  return listOf(value, 'added_tokens').map((entry, i) => {
    const what = `added_tokens[${i}]`
    const fields = fieldsOf(entry, what)
    const { content, id } = fields
    if (typeof content !== 'string' || content === '') {
      fail(`${what}.content must be a string of at least one character`, content, DAMAGED)
    }
    if (typeof id !== 'number') fail(`${what}.id must be an integer`, id, DAMAGED)
    if (contents.has(content)) fail(`${what}.content must occur once`, content, 'remove the second entry')
    contents.add(content)
    for (const name of ['single_word', 'lstrip', 'rstrip']) {
      if (isOn(fields, `${what}.${name}`)) fail(`${what}.${name} must be false`, true, UNSUPPORTED)
    }
    if (Object.hasOwn(vocab, content)) {
      if (vocab[content] !== id) {
        fail(
          `${what}.id must be the id of ${show(content)} in model.vocab, ${show(vocab[content])}`,
          id,
          DAMAGED,
        )
      }
      if (isAmbiguousToken(content)) {
        fail(
          `${what}.content must differ from the byte-level tokens of model.vocab`,
          content,
          'rename the token',
        )
      }
    }
    return { id, content, special: isOn(fields, `${what}.special`) }
  })
}

interface Vocab {
  readonly idOf: ReadonlyMap<string, number>
  readonly tokenBytes: readonly Uint8Array[]
}

function readVocab(vocab: Fields, addedTokens: readonly AddedToken[]): Vocab {
  const added = new Map(addedTokens.map(({ content, id }) => [content, id]))
  const idOf = new Map<string, number>()
  const entries = [
    ...Object.entries(vocab),
    ...[...added].filter(([content]) => !Object.hasOwn(vocab, content)),
  ]
  if (entries.length === 0) fail('model.vocab must have at least one token', 0, DAMAGED)
  const names: (string | undefined)[] = new Array(entries.length)
  const tokenBytes: Uint8Array[] = new Array(entries.length)
  for (const [token, id] of entries) {
    const what = `id of ${show(token)} in ${added.has(token) ? 'added_tokens' : 'model.vocab'}`
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      fail(`${what} must be an integer of at least 0`, id, DAMAGED)
    }
    if (id >= entries.length) {
      const range = `the ids of ${entries.length} tokens must be 0 to ${entries.length - 1} without gaps`
      fail(`${what}: ${range}`, id, 'renumber the tokens, or add the missing ones')
    }
    if (names[id] !== undefined)
      fail(`${what} must be unique`, `${id}, the id of ${show(names[id])}`, DAMAGED)
    const bytes = added.has(token) ? utf8(token) : fromByteLevel(token)
    if (bytes === undefined || bytes.length === 0) {
      fail('tokens of model.vocab must be written in the byte-level alphabet', token, UNSUPPORTED)
    }
    names[id] = token
    tokenBytes[id] = bytes
    if (Object.hasOwn(vocab, token)) idOf.set(token, id)
  }
  return { idOf, tokenBytes }
}

function readMerges(value: unknown, idOf: ReadonlyMap<string, number>): Int32Array {
  const list = listOf(value, 'model.merges')
  const merges = new Int32Array(3 * list.length)
  list.forEach((entry, rank) => {
    const what = `model.merges[${rank}]`
    const pair: unknown[] = typeof entry === 'string' ? entry.split(' ') : Array.isArray(entry) ? entry : []
    const [left, right] = pair
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string') {
      fail(`${what} must be "a b" or ["a", "b"]`, entry, DAMAGED)
    }
    ;[left, right, left + right].forEach((token, i) => {
      const id = idOf.get(token)
      if (id === undefined) fail(`${what} must merge two tokens of model.vocab into a third`, token, DAMAGED)
      merges[3 * rank + i] = id
    })
  })
  return merges
}
