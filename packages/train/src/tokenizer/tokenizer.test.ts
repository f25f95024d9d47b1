import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText, corpus, huggingFace } from './fixtures/reference.ts'
import { Tokenizer } from './tokenizer.ts'
import { trainTokenizer } from './train.ts'

const tokenizer = trainTokenizer(corpus, { vocabSize: 509 })
const utf8Length = (text: string) => new TextEncoder().encode(text).length

describe('encode', () => {
  it.for(huggingFace.encodings)("gives the ids of Hugging Face's Rust library for $text", ({ text, ids }) => {
    expect(Array.from(Tokenizer.fromJSON(huggingFace.tokenizer).encode(text))).toEqual(ids)
  })

  it('gives the same ids from the cache', () => {
    const fresh = trainTokenizer(corpus, { vocabSize: 509 })
    const first = fresh.encode(corpus)
    expect(fresh.encode(corpus)).toEqual(first)
    expect(fresh.encode(corpus.slice(0, 101))).toEqual(tokenizer.encode(corpus.slice(0, 101)))
  })

  it('survives more distinct words than the cache holds', () => {
    const numbers = Array.from({ length: 70_001 }, (_, i) => i.toString()).join(' ')
    expect(tokenizer.decode(tokenizer.encode(numbers))).toBe(numbers)
  })

  it('uses single bytes where nothing was learned', () => {
    const bytesOnly = trainTokenizer(corpus, { vocabSize: 257 })
    expect(bytesOnly.encode('né').length).toBe(3)
    // Special tokens have the first ids. Then come the bytes by their printable character; '!' (0x21) is the
    // first.
    expect(Array.from(bytesOnly.encode('!"#'))).toEqual([1, 2, 3])
  })

  it('replaces a lone surrogate by U+FFFD', () => {
    expect(tokenizer.encode('a\ud83d b')).toEqual(tokenizer.encode('a\ufffd b'))
    expect(tokenizer.decode(tokenizer.encode('\udc00'))).toBe('\ufffd')
  })

  it('refuses what is not text', () => {
    // @ts-expect-error: a caller without types
    expect(() => tokenizer.encode(7)).toThrow('encode: text must be a string, got number')
  })
})

describe('decode', () => {
  it('gives back every text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text)
        expect(tokenizer.decode(ids)).toBe(text)
      }),
      { seed: 6, numRuns: 1000 },
    )
  })

  it('writes or skips special tokens', () => {
    const ids = tokenizer.encode('one<|endoftext|>two')
    expect(tokenizer.decode(ids)).toBe('one<|endoftext|>two')
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('onetwo')
  })

  it('shows bytes that are not UTF-8 as U+FFFD', () => {
    const whale = trainTokenizer('x', { vocabSize: 257 }).encode('🐳')
    expect(trainTokenizer('x', { vocabSize: 257 }).decode(whale.subarray(0, 3))).toBe('\ufffd')
  })

  it.for([-1, 509, 1.5, Number.NaN])('refuses id %d', (id) => {
    const message = `a token id must be an integer from 0 to 508, got ${id};`
    expect(() => tokenizer.decode([1, id])).toThrow(`decode: ${message}`)
    expect(() => tokenizer.decodeStream().push(id)).toThrow(`decodeStream: ${message}`)
    expect(() => tokenizer.byteLength([id])).toThrow(`byteLength: ${message}`)
    expect(() => tokenizer.tokenOf(id)).toThrow(`tokenOf: ${message}`)
  })
})

describe('decodeStream', () => {
  it('gives the whole text, in pieces that are never broken characters', () => {
    const bytesOnly = trainTokenizer('x', { vocabSize: 257 })
    fc.assert(
      fc.property(anyText, (text) => {
        const stream = bytesOnly.decodeStream()
        const pieces = Array.from(bytesOnly.encode(text), (id) => stream.push(id))
        expect(pieces.some((piece) => /\p{Surrogate}/u.test(piece))).toBe(false)
        expect(pieces.join('')).toBe(text)
        expect(stream.end()).toBe('')
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('holds an incomplete character back', () => {
    const bytesOnly = trainTokenizer('x', { vocabSize: 257 })
    const stream = bytesOnly.decodeStream()
    const [a, b, c, d] = bytesOnly.encode('🐳')
    expect([stream.push(a), stream.push([b, c]), stream.push(d)]).toEqual(['', '', '🐳'])
    expect([stream.push([a, b]), stream.end()]).toEqual(['', '\ufffd'])
    expect(stream.push(bytesOnly.encode('again'))).toBe('again')
  })

  it('skips special tokens on request', () => {
    const ids = tokenizer.encode('one<|endoftext|>two')
    expect(tokenizer.decodeStream({ skipSpecialTokens: true }).push(ids)).toBe('onetwo')
  })
})

describe('byteLength', () => {
  it('counts the UTF-8 bytes of the text, without special tokens', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.byteLength(tokenizer.encode(text))).toBe(
          utf8Length(text.replaceAll('<|endoftext|>', '')),
        )
      }),
      { seed: 8, numRuns: 300 },
    )
    expect(tokenizer.byteLength(tokenizer.encode(corpus))).toBe(utf8Length(corpus))
  })

  it('has the same numbers in its table', () => {
    expect(tokenizer.tokenByteLengths[tokenizer.idOf('Ġthe')!]).toBe(4)
    expect(tokenizer.tokenByteLengths[tokenizer.idOf('<|endoftext|>')!]).toBe(0)
    expect(tokenizer.tokenByteLengths).toHaveLength(tokenizer.vocabSize)
  })
})

it('names ids as tokenizer.json does', () => {
  for (let id = 0; id < tokenizer.vocabSize; id++) expect(tokenizer.idOf(tokenizer.tokenOf(id))).toBe(id)
  expect(tokenizer.tokenOf(tokenizer.idOf('Ġthe')!)).toBe('Ġthe')
  expect(tokenizer.idOf('no such token')).toBeUndefined()
  expect(Tokenizer.fromJSON(JSON.stringify(tokenizer)).toJSON()).toEqual(tokenizer.toJSON())
})
