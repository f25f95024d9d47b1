import { BackendError, FormatError } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import { GraphError } from '../../errors.ts'
import { buildManifold } from '../../manifold/build.ts'
import { cutPassages } from '../text/passages.ts'
import { textEmbeddings } from '../text/text.ts'
import { corpusEmbedder } from './corpus-embedder.ts'
import { embedderOf } from './embedder.ts'
import { type Transformers, transformersEmbedder } from './transformers-embedder.ts'
import { wordEmbedder } from './word-embedder.ts'

const letters = (text: string) => [text.length, text.charCodeAt(0)]

describe('embedderOf', () => {
  it('calls a function with batches, one after the other, and joins what it returns', async () => {
    const calls: string[][] = []
    const f = async (texts: readonly string[]) => {
      calls.push([...texts])
      return texts.map(letters)
    }
    const embedder = embedderOf('letters', f, { batchSize: 2 })
    const { data, rows, cols } = await embedder.embed(['a', 'bb', 'ccc'])
    expect(calls).toEqual([['a', 'bb'], ['ccc']])
    expect([Array.from(data), rows, cols]).toEqual([[1, 97, 2, 98, 3, 99], 3, 2])
    const sync = embedderOf('matrix', (texts) => ({
      data: Float32Array.from(texts.flatMap(letters)),
      rows: texts.length,
      cols: 2,
    }))
    expect(Array.from((await sync.embed(['a', 'bb', 'ccc'])).data)).toEqual(Array.from(data))
  })

  it.each<[string, (texts: readonly string[]) => number[][], string]>([
    ['too few vectors', () => [[1]], 'f: there must be a vector per text, got 1 for 2 texts'],
    [
      'unequal widths',
      () => [[1], [1, 2]],
      'f: rows must have the same length, got 1 in row 0 and 2 in row 1',
    ],
    [
      'NaN',
      () => [
        [1, 2],
        [3, Number.NaN],
      ],
      'f: every element must be finite, got NaN at row 1, column 1',
    ],
    ['empty vectors', () => [[], []], 'f: a matrix needs at least one row and one column, got [2, 0]'],
  ])('refuses %s', async (_, f, message) => {
    await expect(embedderOf('f', f).embed(['a', 'b'])).rejects.toThrow(message)
    await expect(embedderOf('f', f).embed(['a', 'b'])).rejects.toThrow(GraphError)
  })

  it('refuses another width in a later batch, no texts, no batch, and passes errors on', async () => {
    const f = (texts: readonly string[]) => texts.map((text) => Array(text.length).fill(1))
    await expect(embedderOf('f', f, { batchSize: 1 }).embed(['a', 'bb'])).rejects.toThrow(
      'f: all vectors must have one width, got 1 and, from text 1 on, 2',
    )
    await expect(embedderOf('f', f).embed([])).rejects.toThrow(
      'f: texts must hold at least one text, got none',
    )
    expect(() => embedderOf('f', f, { batchSize: 0 })).toThrow('batchSize must be an integer at least 1')
    const down = embedderOf('f', () => Promise.reject(new TypeError('service is down')))
    await expect(down.embed(['a'])).rejects.toThrow(TypeError)
  })
})

describe('wordEmbedder', () => {
  const words = ['the', 'whale', 'The', 'the']
  const matrix = { data: Float32Array.of(1, 0, 3, 4, 7, 7, 9, 9), rows: 4, cols: 2 }
  it('gives a word its vector, a text the mean of its known words, and zeros to a text without known words', async () => {
    const { data } = await wordEmbedder({ words, matrix }).embed(['The', 'THE  white whale', 'the', 'xyz'])
    expect(Array.from(data)).toEqual([7, 7, 2, 2, 1, 0, 0, 0])
  })

  it('refuses words without vectors', () => {
    expect(() => wordEmbedder({ words: ['a'], matrix })).toThrow('got 1 words and 4 vectors')
  })
})

/** Passages of 8 words of three topics. */
const topics = ['whale ship sea oar', 'oven bread salt loaf', 'star moon orbit comet'].map((w) =>
  w.split(' '),
)
const corpus = Array.from({ length: 60 }, (_, p) =>
  Array.from({ length: 8 }, (_, n) => topics[p % 3][(p * 7 + n * n) % 4]).join(' '),
)

describe('corpusEmbedder', () => {
  it.each(['tf-idf', 'ppmi'] as const)(
    'folds its own passages to where textEmbeddings has them: %s',
    async (weighting) => {
      const text = corpus.join('. ')
      const options = { passageTokens: 8, dim: 12, weighting, maxShare: 1 }
      const embedder = corpusEmbedder(text, options)
      expect(embedder.passages).toEqual(textEmbeddings(text, options))
      const { bounds, words, tokens } = cutPassages(text, 8)
      const passages = Array.from({ length: 60 }, (_, p) =>
        Array.from(tokens.subarray(bounds[p], bounds[p + 1]), (word) => words[word]).join(' '),
      )
      const folded = await embedder.embed(passages)
      // There are only 12 words, so dim 12 drops nothing.
      expect([folded.rows, folded.cols]).toEqual([60, 12])
      for (const [n, value] of folded.data.entries()) expect(value).toBeCloseTo(embedder.passages.data[n], 9)
    },
  )

  it('puts a new text beside its topic, and one without known words at 0', async () => {
    const embedder = corpusEmbedder(corpus.join('. '), { passageTokens: 8, dim: 3, maxShare: 1 })
    const { data } = await embedder.embed(['a whale at sea', 'ship, oar', 'bread and salt', 'quark'])
    const cosine = (a: number, b: number) => {
      const [x, y] = [a, b].map((row) => Array.from(data.subarray(3 * row, 3 * row + 3)))
      return x.reduce((sum, v, c) => sum + v * y[c], 0) / (Math.hypot(...x) * Math.hypot(...y))
    }
    expect(cosine(0, 1)).toBeGreaterThan(0.9)
    expect(Math.abs(cosine(0, 2))).toBeLessThan(0.1)
    expect(Array.from(data.subarray(9))).toEqual([0, 0, 0])
  })
})

describe('transformersEmbedder', () => {
  /** A stand-in for the package. It gives a vector [length, first letter] per text, and records its calls. */
  const standIn = (dims?: number[]) => {
    const seen: unknown[] = []
    const transformers: Transformers = {
      env: { allowRemoteModels: true, localModelPath: '/models' },
      async pipeline(task, model, options) {
        seen.push([task, model, options, { ...transformers.env }])
        if (model === 'none') throw new Error('file was not found locally\nat some place')
        return async (texts, how) => {
          seen.push([texts, how])
          return { dims: dims ?? [texts.length, 2], data: Float32Array.from(texts.flatMap(letters)) }
        }
      },
    }
    return { transformers, seen }
  }

  it('loads a folder without the network, and embeds in batches', async () => {
    const { transformers, seen } = standIn()
    const embedder = await transformersEmbedder('/some/where/tiny', {
      transformers,
      batchSize: 2,
      pooling: 'cls',
      dtype: 'q8',
    })
    const { data, cols } = await embedder.embed(['a', 'bb', 'ccc'])
    expect([Array.from(data), cols]).toEqual([[1, 97, 2, 98, 3, 99], 2])
    const env = { allowRemoteModels: false, localModelPath: '/some/where' }
    expect(seen).toEqual([
      ['feature-extraction', 'tiny', { dtype: 'q8', local_files_only: true }, env],
      [['a', 'bb'], { pooling: 'cls', normalize: true }],
      [['ccc'], { pooling: 'cls', normalize: true }],
    ])
    expect(transformers.env).toEqual({ allowRemoteModels: true, localModelPath: '/models' })
  })

  it('says how to get the package', async () => {
    const failed = transformersEmbedder('/some/where/tiny')
    await expect(failed).rejects.toThrow(BackendError)
    await expect(failed).rejects.toThrow(
      /must be installed, got .*; install it with: npm install @huggingface\/transformers$/,
    )
  })

  it('says what the folder must hold, and restores the settings of the package', async () => {
    const { transformers } = standIn()
    const failed = transformersEmbedder('/some/where/none', { transformers })
    await expect(failed).rejects.toThrow(FormatError)
    await expect(failed).rejects.toThrow('got file was not found locally; put config.json')
    expect(transformers.env).toEqual({ allowRemoteModels: true, localModelPath: '/models' })
  })

  it('refuses a model that gives a vector per token', async () => {
    const { transformers } = standIn([1, 5, 2])
    const embedder = await transformersEmbedder('/x/y', { transformers })
    await expect(embedder.embed(['a'])).rejects.toThrow('got an output of shape [1, 5, 2]')
  })
})

describe('every embedder', () => {
  it('gives what buildManifold takes', async () => {
    const embedder = corpusEmbedder(corpus.join('. '), { passageTokens: 8, dim: 9, maxShare: 1 })
    const { info } = await buildManifold(await embedder.embed(corpus), { dim: 9 })
    expect([info.rows, info.width]).toEqual([60, 9])
  })
})
