import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText } from './fixtures/reference.ts'
import { detached, forEachSection, forEachWord, tokenSplitter, utf8 } from './words.ts'

function wordsOf(text: string): string[] {
  const words: string[] = []
  forEachWord(text, (word) => words.push(word))
  return words
}

function sectionsOf(text: string, tokens: readonly string[]): string[] {
  const sections: string[] = []
  const collect = (kind: string) => (section: string) => sections.push(kind + section)
  forEachSection(text, tokenSplitter(tokens), collect('text:'), collect('token:'))
  return sections
}

describe('words', () => {
  it.for([
    ['', []],
    ['Call me Ishmael.', ['Call', ' me', ' Ishmael', '.']],
    ["I'll, we've DON'T", ['I', "'ll", ',', ' we', "'ve", ' DON', "'", 'T']],
    // The last of several spaces belongs to the next word.
    ['a   b', ['a', '  ', ' b']],
    ['a \n b  ', ['a', ' \n', ' b', '  ']],
    ['x42½ !?', ['x', '42½', ' !?']],
    ['白鲸 🐳🌊', ['白鲸', ' 🐳🌊']],
    ['a\u00a0b', ['a', '\u00a0', 'b']],
  ] as const)('of %j are %j', ([text, expected]) => {
    expect(wordsOf(text)).toEqual(expected)
  })

  it('cover every text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(wordsOf(text).join('')).toBe(text)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('can be visited inside a visit', () => {
    const found: string[] = []
    forEachWord('a b c', (word) => forEachWord(`${word}!`, (inner) => found.push(inner)))
    expect(found).toEqual(['a', '!', ' b', '!', ' c', '!'])
  })
})

describe('sections', () => {
  it.for([
    ['plain', ['<s>'], ['text:plain']],
    ['', ['<s>'], []],
    ['<s>a<s><s>b', ['<s>'], ['token:<s>', 'text:a', 'token:<s>', 'token:<s>', 'text:b']],
    // The leftmost match wins, then the longest. The order of the list does not matter.
    ['abcd', ['bc', 'ab', 'abc'], ['token:abc', 'text:d']],
    ['a.*b|c', ['.*', '|'], ['text:a', 'token:.*', 'text:b', 'token:|', 'text:c']],
    ['x[\\^$]{2}/(y)+?', ['[\\^$]{2}/(y)+?'], ['text:x', 'token:[\\^$]{2}/(y)+?']],
    ['no tokens', [], ['text:no tokens']],
  ] as const)('of %j at %j are %j', ([text, tokens, expected]) => {
    expect(sectionsOf(text, tokens)).toEqual(expected)
  })
})

it('rebuilds words from their bytes', () => {
  expect(detached(utf8('\ufeffnaïve 🐳'))).toBe('\ufeffnaïve 🐳')
  expect(detached(utf8('a\ud800b'))).toBe('a\ufffdb')
})
