import { describe, expect, it } from 'vitest'
import { huggingFace } from './fixtures/reference.ts'
import { Tokenizer } from './tokenizer.ts'

const size = Object.keys(huggingFace.tokenizer.model.vocab).length

type Keys = readonly (string | number)[]

/** The valid file as parsed JSON, with one entry replaced, or removed if the value is undefined. */
function damaged(keys: Keys, value: unknown): Record<string, unknown> {
  const file: Record<string, unknown> = JSON.parse(JSON.stringify(huggingFace.tokenizer))
  let parent = file
  for (const key of keys.slice(0, -1)) parent = parent[key] as Record<string, unknown>
  const last = keys[keys.length - 1]
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return file
}

const vocab = (token: string): Keys => ['model', 'vocab', token]
const second: Keys = ['added_tokens', 1]
const added = (fields: object) => ({ id: size, content: '<x>', ...fields })
const dense = (count: number) => `the ids of ${count} tokens must be 0 to ${count - 1} without gaps`

const cases: [name: string, keys: Keys, value: unknown, message: string][] = [
  ['no model', ['model'], undefined, 'model must be an object, got undefined'],
  ['a list as model', ['model'], [1], 'model must be an object, got [1]'],
  ['another model', ['model', 'type'], 'Unigram', 'model.type must be "BPE", got "Unigram"'],
  ['no vocab', ['model', 'vocab'], undefined, 'model.vocab must be an object, got undefined'],
  ['no merges', ['model', 'merges'], undefined, 'model.merges must be an array, got undefined'],
  ['no pre-tokenizer', ['pre_tokenizer'], null, 'pre_tokenizer must be of type "ByteLevel", got null'],
  [
    'another pre-tokenizer',
    ['pre_tokenizer', 'type'],
    'Metaspace',
    'pre_tokenizer must be of type "ByteLevel", got "Metaspace"',
  ],
  [
    'a pre-tokenizer that is text',
    ['pre_tokenizer'],
    'ByteLevel',
    'pre_tokenizer must be an object, got "ByteLevel"',
  ],
  [
    'a flag that is text',
    ['pre_tokenizer', 'use_regex'],
    'yes',
    'pre_tokenizer.use_regex must be true or false, got "yes"',
  ],
  ['a normalizer', ['normalizer'], { type: 'NFC' }, 'normalizer must be of type null, got "NFC"'],
  [
    'tokens around texts',
    ['post_processor'],
    { type: 'TemplateProcessing' },
    'post_processor must be of type null or "ByteLevel", got "TemplateProcessing"',
  ],
  [
    'another decoder',
    ['decoder'],
    { type: 'WordPiece' },
    'decoder must be of type null or "ByteLevel", got "WordPiece"',
  ],
  ['dropout', ['model', 'dropout'], 0.1, 'model.dropout must be null, got 0.1'],
  [
    'a word suffix',
    ['model', 'end_of_word_suffix'],
    '</w>',
    'model.end_of_word_suffix must be null, got "</w>"',
  ],
  [
    'an id that is text',
    vocab('!'),
    '1',
    'id of "!" in model.vocab must be an integer of at least 0, got "1"',
  ],
  ['a negative id', vocab('!'), -1, 'id of "!" in model.vocab must be an integer of at least 0, got -1'],
  ['a broken id', vocab('!'), 1.5, 'id of "!" in model.vocab must be an integer of at least 0, got 1.5'],
  ['a duplicate id', vocab('!'), 2, 'id of "\\"" in model.vocab must be unique, got "2, the id of \\"!\\""'],
  ['a hole in the ids', vocab('!'), undefined, `${dense(size - 1)}, got ${size - 1}`],
  ['a huge id', vocab('!'), 2 ** 40, `${dense(size)}, got 1099511627776`],
  ['a token of no bytes', vocab('a b'), size, 'must be written in the byte-level alphabet, got "a b"'],
  ['an empty token', vocab(''), size, 'must be written in the byte-level alphabet, got ""'],
  [
    'a merge of an unknown token',
    ['model', 'merges', 5],
    ['a', 'nowhere'],
    'model.merges[5] must merge two tokens of model.vocab into a third, got "nowhere"',
  ],
  [
    'a merge into an unknown token',
    ['model', 'merges', 5],
    ['!', '#'],
    'model.merges[5] must merge two tokens of model.vocab into a third, got "!#"',
  ],
  [
    'a merge of three',
    ['model', 'merges', 2],
    'a b c',
    'model.merges[2] must be "a b" or ["a", "b"], got "a b c"',
  ],
  ['a merge of one', ['model', 'merges', 2], ['a'], 'model.merges[2] must be "a b" or ["a", "b"], got ["a"]'],
  [
    'a merge of numbers',
    ['model', 'merges', 2],
    [1, 2],
    'model.merges[2] must be "a b" or ["a", "b"], got [1,2]',
  ],
  [
    'a merge of nothing',
    ['model', 'merges', 2],
    null,
    'model.merges[2] must be "a b" or ["a", "b"], got null',
  ],
  ['added tokens that are no list', ['added_tokens'], {}, 'added_tokens must be an array, got {}'],
  ['an added number', second, 7, 'added_tokens[1] must be an object, got 7'],
  [
    'an added token without content',
    second,
    added({ content: undefined }),
    'added_tokens[1].content must be a string of at least one character, got undefined',
  ],
  [
    'an added token without id',
    second,
    added({ id: undefined }),
    'added_tokens[1].id must be an integer, got undefined',
  ],
  [
    'an added token beyond the vocabulary',
    second,
    added({ id: size + 1 }),
    `id of "<x>" in added_tokens: ${dense(size + 1)}, got ${size + 1}`,
  ],
  [
    'an added token with a taken id',
    second,
    added({ id: 5 }),
    'id of "<x>" in added_tokens must be unique, got "5, the id of',
  ],
  [
    'an added token with another id than in the vocabulary',
    second,
    added({ content: 'he' }),
    'added_tokens[1].id must be the id of "he" in model.vocab',
  ],
  [
    'an added token twice',
    second,
    added({ content: '<|endoftext|>', id: 0 }),
    'added_tokens[1].content must occur once, got "<|endoftext|>"',
  ],
  [
    'an added token that reads as bytes',
    second,
    { content: 'é', id: huggingFace.tokenizer.model.vocab.é },
    'must differ from the byte-level tokens of model.vocab, got "é"',
  ],
  [
    'an added token that eats spaces',
    second,
    added({ lstrip: true }),
    'added_tokens[1].lstrip must be false, got true',
  ],
]

describe('a tokenizer.json', () => {
  it('is fine before it is damaged', () => {
    expect(Tokenizer.fromJSON(huggingFace.tokenizer).vocabSize).toBe(size)
    expect(Tokenizer.fromJSON(damaged(second, added({}))).idOf('<x>')).toBe(size)
  })

  it.for(cases)('with %s is refused', ([, keys, value, message]) => {
    const file = damaged(keys, value)
    expect(() => Tokenizer.fromJSON(file)).toThrow(message)
    expect(() => Tokenizer.fromJSON(file)).toThrow(/^tokenizer\.json: .+, got .+; .+/s)
  })

  it('without any token is refused', () => {
    const file = { added_tokens: [], pre_tokenizer: { type: 'ByteLevel' }, model: { vocab: {}, merges: [] } }
    expect(() => Tokenizer.fromJSON(file)).toThrow('model.vocab must have at least one token, got 0')
  })

  it.for([
    ['', 'the file must be JSON, got Unexpected end of JSON input'],
    ['{"model":', 'the file must be JSON'],
    ['null', 'the file must be an object, got null'],
    ['[]', 'the file must be an object, got []'],
    ['"text"', 'the file must be an object, got "text"'],
  ] as const)('of text %j is refused', ([text, message]) => {
    expect(() => Tokenizer.fromJSON(text)).toThrow(`tokenizer.json: ${message}`)
  })

  it('shows long values cut short', () => {
    const file = damaged(['model'], 'x'.repeat(1e6))
    expect(() => Tokenizer.fromJSON(file)).toThrow(/^.{1,200}$/)
  })

  it('may have tokens named like properties of objects', () => {
    const entries = [
      ...Object.entries(huggingFace.tokenizer.model.vocab),
      ['__proto__', size],
      ['constructor', size + 1],
    ]
    const file = damaged(['model', 'vocab'], Object.fromEntries(entries))
    const tokenizer = Tokenizer.fromJSON(JSON.stringify(file))
    expect([tokenizer.idOf('__proto__'), tokenizer.idOf('constructor')]).toEqual([size, size + 1])
    expect(Tokenizer.fromJSON(JSON.stringify(tokenizer)).idOf('__proto__')).toBe(size)
    expect(tokenizer.idOf('toString')).toBeUndefined()
  })

  it('without some bytes loads, and refuses text that needs them', () => {
    const file = {
      added_tokens: [],
      pre_tokenizer: { type: 'ByteLevel' },
      model: { vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] },
    }
    const tokenizer = Tokenizer.fromJSON(file)
    expect(Array.from(tokenizer.encode('abba'))).toEqual([2, 1, 0])
    expect(() => tokenizer.encode('abc')).toThrow(
      'a token for every byte of the text, got none for 0x63 in "abc"',
    )
  })
})
