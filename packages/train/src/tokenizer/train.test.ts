import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { corpus, huggingFace } from './fixtures/reference.ts'
import { type TrainTokenizerOptions, type TrainTokenizerProgress, trainTokenizer } from './train.ts'
import { forEachWord } from './words.ts'

const mergesOf = (texts: string | Iterable<string>, options: TrainTokenizerOptions) =>
  trainTokenizer(texts, options)
    .toJSON()
    .model.merges.map((pair) => pair.join(' '))

describe('training', () => {
  it("gives the vocabulary and merges of Hugging Face's trainer", () => {
    const vocabSize = Object.keys(huggingFace.tokenizer.model.vocab).length
    const { model, added_tokens } = trainTokenizer(corpus, { vocabSize }).toJSON()
    expect(model.merges).toEqual(huggingFace.tokenizer.model.merges)
    expect(model.vocab).toEqual(huggingFace.tokenizer.model.vocab)
    expect(added_tokens).toEqual(huggingFace.tokenizer.added_tokens)
  })

  it('merges the most frequent pair first, then the smallest ids', () => {
    // ab ×3 and bc ×3 tie, and a < b decides. Then ab·c (×3) is the only pair. After it nothing is left to
    // merge.
    expect(mergesOf('abc\nabc\nabc', { vocabSize: 300 })).toEqual(['a b', 'ab c'])
    // bc occurs 4 times, ab 3 times.
    expect(mergesOf('abc\nabc\nabc\nbc', { vocabSize: 300 })).toEqual(['b c', 'a bc'])
  })

  it('ends at vocabSize, from no merges up', () => {
    expect(trainTokenizer(corpus, { vocabSize: 257 }).toJSON().model.merges).toEqual([])
    expect(trainTokenizer(corpus, { vocabSize: 256, specialTokens: [] }).vocabSize).toBe(256)
    expect(trainTokenizer(corpus, { vocabSize: 263 }).vocabSize).toBe(263)
  })

  it('asks for a size when it gets a text alone', () => {
    expect(() => Reflect.apply(trainTokenizer, undefined, [corpus])).toThrow(
      'trainTokenizer: options must say vocabSize, got none; write trainTokenizer(texts, { vocabSize: 1024 })',
    )
  })

  it('ends early when pairs are rarer than minFrequency', () => {
    expect(mergesOf('xy xy zw', { vocabSize: 300, minFrequency: 1 })).toContain('z w')
    expect(mergesOf('xy xy\nzw', { vocabSize: 300 })).toEqual(['x y'])
    expect(mergesOf('xy xy zw', { vocabSize: 300, minFrequency: 3 })).toEqual([])
  })

  it('reads a list of texts like the single texts, without words across their ends', () => {
    expect(mergesOf(['ab', 'ab', 'ba'], { vocabSize: 300 })).toEqual(['a b'])
    const lines = corpus.split(/(?<=\n)/)
    const options = { vocabSize: 401 }
    function* generate() {
      yield* lines
    }
    expect(mergesOf(generate(), options)).toEqual(mergesOf(lines, options))
  })

  it('learns nothing from special tokens in the texts', () => {
    const texts = 'ab<|end|>ab<|end|>cd'
    expect(mergesOf(texts, { vocabSize: 300, specialTokens: ['<|end|>'] })).toEqual(['a b'])
    expect(mergesOf(texts, { vocabSize: 300, specialTokens: ['<|other|>'] })).toContain('e n')
  })

  it('gives special tokens the first ids, in order', () => {
    const tokenizer = trainTokenizer(corpus, { vocabSize: 300, specialTokens: ['<|b|>', '<|a|>'] })
    expect([tokenizer.idOf('<|b|>'), tokenizer.idOf('<|a|>'), tokenizer.idOf('!')]).toEqual([0, 1, 2])
    expect(tokenizer.specialTokens).toEqual(['<|b|>', '<|a|>'])
  })

  it('reports progress up to the final size', () => {
    const reports: TrainTokenizerProgress[] = []
    const tokenizer = trainTokenizer(corpus, {
      vocabSize: 907,
      onProgress: (progress) => reports.push(progress),
    })
    const sizes = reports.map((report) => report.vocabSize)
    expect(sizes).toEqual([257 + 256, 257 + 512, tokenizer.vocabSize])
    expect(new Set(reports.map((report) => report.targetVocabSize))).toEqual(new Set([907]))
  })
})

/** Training by the definition: counts all pairs again before each merge. Tokens are strings of ASCII
 *  letters. */
function referenceMerges(text: string, mergeCount: number): string[] {
  const words: string[][] = []
  forEachWord(text, (word) => words.push([...word]))
  const ids = new Map<string, number>()
  const idOf = (token: string) => {
    if (!ids.has(token)) ids.set(token, token.length === 1 ? token.charCodeAt(0) : 1000 + ids.size)
    return ids.get(token)!
  }
  const merges: string[] = []
  while (merges.length < mergeCount) {
    const counts = new Map<string, number>()
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`
        counts.set(pair, (counts.get(pair) ?? 0) + 1)
      }
    }
    const rank = (pair: string) => pair.split(' ').map(idOf)
    const [best] = [...counts].sort(([a, countA], [b, countB]) => {
      const [ranksA, ranksB] = [rank(a), rank(b)]
      return countB - countA || ranksA[0] - ranksB[0] || ranksA[1] - ranksB[1]
    })
    if (best === undefined || best[1] < 2) break
    const [left, right] = best[0].split(' ')
    merges.push(best[0])
    idOf(left + right)
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right)
      }
    }
  }
  return merges
}

it('keeps pair counts exact: merges equal those of counting anew each time', () => {
  // Words of three different letters have repeats, overlaps and ties.
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 11 })
  let compared = 0
  fc.assert(
    fc.property(fc.array(word, { minLength: 3, maxLength: 41 }), (words) => {
      const text = words.join('\n')
      const merges = mergesOf(text, { vocabSize: 257 + 23 })
      expect(merges).toEqual(referenceMerges(text, 23))
      compared += merges.length
    }),
    { seed: 4, numRuns: 200 },
  )
  expect(compared).toBeGreaterThan(1000)
})

it('never makes the same token twice', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 13 })
  fc.assert(
    fc.property(fc.array(word, { maxLength: 31 }), (words) => {
      const tokenizer = trainTokenizer(['ab', ...words], { vocabSize: 307, minFrequency: 1 })
      expect(Object.keys(tokenizer.toJSON().model.vocab)).toHaveLength(tokenizer.vocabSize)
    }),
    { seed: 5, numRuns: 100 },
  )
})

describe('training refuses', () => {
  const train = (options: Partial<TrainTokenizerOptions>, texts: Iterable<string> = ['text']) => {
    return () => trainTokenizer(texts, { vocabSize: 300, ...options })
  }

  it.for([256, 300.5, Number.NaN, 2 ** 24 + 1, -1])('vocabSize %d', (vocabSize) => {
    expect(train({ vocabSize })).toThrow(`vocabSize must be an integer from 257`)
    expect(train({ vocabSize })).toThrow(`got ${vocabSize};`)
  })

  it.for([0, 1.5, -2])('minFrequency %d', (minFrequency) => {
    expect(train({ minFrequency })).toThrow(
      `minFrequency must be an integer of at least 1, got ${minFrequency};`,
    )
  })

  it.for([
    [[''], 'must not be empty, got "" at 0'],
    [['<a>', '<a>'], 'must differ from each other, got "<a>" at 1'],
    [['A'], 'must not read as bytes of the vocabulary, got "A" at 0'],
    [['Ġthe'], 'must not read as bytes of the vocabulary, got "Ġthe" at 0'],
    [['<\ud800>'], 'must be well-formed Unicode, got "<\\ud800>" at 0'],
  ] as const)('special tokens %j', ([specialTokens, message]) => {
    expect(train({ specialTokens })).toThrow(message)
  })

  it('texts without a character, and what is not text', () => {
    expect(train({}, [])).toThrow('texts must have at least one character, got none')
    expect(train({}, ['', '<|endoftext|>'])).toThrow('texts must have at least one character, got none')
    // @ts-expect-error: a caller without types
    expect(train({}, ['a', 7])).toThrow('texts must be strings, got number at 1')
  })
})
