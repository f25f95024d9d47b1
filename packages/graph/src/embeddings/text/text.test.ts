import { Random } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import { kneighbors } from '../../neighbors/kneighbors.ts'
import { toDense } from '../../sparse/csr.ts'
import { cutPassages } from './passages.ts'
import { textEmbeddings } from './text.ts'
import { weightPassages } from './weighting.ts'

const all = { minPassages: 1, maxShare: 1, maxWords: 100 }

describe('passages', () => {
  it('cuts into words of any script, in lower case', () => {
    const { words, tokens, bounds } = cutPassages("The whale’s WHALE, 3 cafés; the 白鲸. Don't!", 4)
    expect(words).toEqual(['the', 'whale’s', 'whale', '3', 'cafés', '白', '鲸', "don't"])
    expect([...tokens]).toEqual([0, 1, 2, 3, 4, 0, 5, 6, 7])
    expect([...bounds]).toEqual([0, 4, 9]) // the last passage of 1 word joins the second
    expect([...cutPassages('a b c d e f', 4).bounds]).toEqual([0, 4, 6]) // a passage of 2 words stays
  })

  it('names a text that is too short', () => {
    expect(() => cutPassages('one two three', 64)).toThrow('at least 2 passages of 64 words, got 3 words')
    expect(() => cutPassages('', 1)).toThrow('got 0 words')
  })
})

describe('weights', () => {
  const passages = cutPassages('a a b c a d', 3) // [a a b] [c a d]

  it('tf-idf has its hand-derived values', () => {
    const { weights, vocabulary } = weightPassages(passages, 'tf-idf', all)
    const { words } = vocabulary
    expect(words).toEqual(['a', 'b', 'c', 'd'])
    const idf1 = 1 + Math.log(3 / 2) // for a word in one of two passages; for a word in both it is 1
    const first = [1 + Math.log(2), idf1]
    const second = [1, idf1, idf1]
    const row1 = [first[0], first[1], 0, 0].map((v) => v / Math.hypot(...first))
    const row2 = [second[0], 0, second[1], second[2]].map((v) => v / Math.hypot(...second))
    for (const [n, v] of [...row1, ...row2].entries()) expect(toDense(weights).data[n]).toBeCloseTo(v, 14)
  })

  it('PPMI has its hand-derived values', () => {
    const { weights } = weightPassages(passages, 'ppmi', all)
    // The totals are 3 per passage, 3 for a, 1 for every other word, and 6 in all. So a in passage 1 has
    // ln(2·6 / (3·3)), a in passage 2 has ln(6/9) < 0, and the others have ln(6/3).
    const expected = [Math.log(4 / 3), Math.log(2), 0, 0, 0, 0, Math.log(2), Math.log(2)]
    for (const [n, v] of expected.entries()) expect(toDense(weights).data[n]).toBeCloseTo(v, 14)
  })

  it('keeps the words that the limits allow', () => {
    expect(weightPassages(passages, 'tf-idf', { ...all, maxShare: 0.5 }).vocabulary.words).toEqual([
      'b',
      'c',
      'd',
    ])
    expect(weightPassages(passages, 'tf-idf', { ...all, minPassages: 2 }).vocabulary.words).toEqual(['a'])
    expect(weightPassages(passages, 'tf-idf', { ...all, maxWords: 3 }).vocabulary.words).toEqual([
      'a',
      'b',
      'c',
    ])
    expect(() => weightPassages(passages, 'tf-idf', { ...all, minPassages: 2, maxShare: 0.5 })).toThrow(
      'some word must be in at least 2 and at most 50 % of the 2 passages, got none among 4 words',
    )
  })
})

/** Passages of 40 words: 15 from the 50 words of one topic, 25 from 100 words that all topics share. */
const topicText = (passages: number, topics: number, seed: number) => {
  const random = new Random(seed)
  const pick = (n: number) => random.integer(n)
  const letters = (n: number) => String.fromCharCode(...[...String(n)].map((digit) => 97 + Number(digit)))
  const topicOf: number[] = []
  const words: string[] = []
  for (let p = 0; p < passages; p++) {
    const topic = pick(topics)
    topicOf.push(topic)
    for (let w = 0; w < 40; w++) {
      words.push(w % 8 < 3 ? `topic${letters(topic)}x${letters(pick(50))}` : `common${letters(pick(100))}`)
    }
  }
  return { text: words.join(' '), topicOf }
}

describe('textEmbeddings', () => {
  it.each(['tf-idf', 'ppmi'] as const)(
    'puts passages of one topic next to each other: %s',
    async (weighting) => {
      const { text, topicOf } = topicText(211, 5, 1)
      const x = textEmbeddings(text, { passageTokens: 40, dim: 7, weighting })
      expect([x.rows, x.cols, x.info.passages, x.info.tokens]).toEqual([211, 7, 211, 8440])
      const { indptr, indices } = await kneighbors(x, { k: 5, metric: 'cosine-unrectified' })
      let same = 0
      for (let i = 0; i < x.rows; i++) {
        for (let e = indptr[i]; e < indptr[i + 1]; e++) if (topicOf[indices[e]] === topicOf[i]) same++
      }
      expect(same / indices.length).toBeGreaterThan(0.98) // it would be 0.2 by chance
    },
  )

  it('reports what it kept', () => {
    const { info } = textEmbeddings(topicText(61, 3, 2).text, { passageTokens: 40, dim: 61 })
    expect(info.keptEnergy).toBeCloseTo(1, 12)
    // tf-idf rows have length 1, so the squares add up to the number of passages
    expect(info.singularValues.reduce((sum, s) => sum + s * s, 0)).toBeCloseTo(61, 10)
  })

  it.each([
    [31, 31], // as many as there are passages
    [131, 128],
  ])('of %i passages is %i wide unless told otherwise', (passages, width) => {
    expect(textEmbeddings(topicText(passages, 3, 2).text, { passageTokens: 40 }).cols).toBe(width)
  })

  it('repeats for one seed', () => {
    const { text } = topicText(61, 3, 2)
    const options = { passageTokens: 40, dim: 5, oversample: 2, powerIterations: 0 }
    expect(textEmbeddings(text, { ...options, seed: 3 })).toEqual(
      textEmbeddings(text, { ...options, seed: 3 }),
    )
    expect(textEmbeddings(text, { ...options, seed: 3 }).data).not.toEqual(textEmbeddings(text, options).data)
  })

  it('names the setting that does not fit', () => {
    const { text } = topicText(31, 3, 2)
    expect(() => textEmbeddings(text, { passageTokens: 40, dim: 64 })).toThrow(
      /dim must be an integer between 1 and 31, got 64; the text gives 31 passages and \d+ words; lower dim/,
    )
    expect(() => textEmbeddings('one two three')).toThrow('lower passageTokens or add text')
    expect(() => textEmbeddings(text, { passageTokens: 0 })).toThrow(
      'passageTokens must be an integer between 1 and',
    )
  })
})
