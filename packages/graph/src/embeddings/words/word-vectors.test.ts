import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@tau/tensor'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEmbeddings } from '../read.ts'
import { decimalAt } from './decimal.ts'
import type { WordVectorOptions } from './vectors.ts'
import { readWordVectors, wordVectorBlocks } from './word-vectors.ts'

const ascii = (text: string) => new TextEncoder().encode(text)
const decimal = (text: string) => decimalAt(ascii(text), 0, text.length)

describe('decimalAt', () => {
  it('agrees with Number for every number that JavaScript writes, in the middle of other bytes', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 0, max: 9 }),
        (value, places) => {
          const fixed = Math.abs(value) < 1e15 ? value.toFixed(places) : String(value)
          for (const text of [String(value), fixed, value.toExponential(places)]) {
            expect(decimalAt(ascii(`7${text}7`), 1, 1 + text.length)).toBe(Number(text))
          }
        },
      ),
    )
  })

  it('rounds correctly if the digits exceed 2^53', () => {
    for (const text of [
      '9007199254740993',
      '0.1000000000000000055511151231257827',
      '123456789012345678901234567890',
    ])
      expect(decimal(text)).toBe(Number(text))
    expect([decimal('+.5'), decimal('5.'), decimal('-0')]).toEqual([0.5, 5, -0])
  })

  it.each([
    '',
    '-',
    '.',
    'nan',
    'NaN',
    'inf',
    'Infinity',
    '0x10',
    '1e',
    '1_0',
    '1 2',
    '--1',
    '1.2.3',
    '١',
    `${'1'.repeat(500)}x`,
  ])('does not take %j for a number', (text) =>
    expect(decimalAt(ascii(text), 0, ascii(text).length)).toBeNaN(),
  )
})

/** The text cut into pieces of `size` bytes. */
async function* pieces(content: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === 'string' ? ascii(content) : content
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

const read = async (content: string | Uint8Array, options: WordVectorOptions & { size?: number } = {}) => {
  const words: string[] = []
  const rows: number[][] = []
  for await (const block of wordVectorBlocks(pieces(content, options.size), options)) {
    words.push(...block.words)
    for (let i = 0; i < block.rows; i++)
      rows.push(Array.from(block.data.subarray(i * block.cols, (i + 1) * block.cols)))
  }
  return { words, rows }
}

describe('wordVectorBlocks', () => {
  const three = {
    words: ['the', 'naïve', '木'],
    rows: [
      [0.5, -1],
      [2, 3e-3],
      [0, 1],
    ].map((row) => row.map(Math.fround)),
  }

  it.each([
    ['GloVe', 'the 0.5 -1\nnaïve 2 3e-3\n木 0 1\n'],
    ['no line end', 'the 0.5 -1\nnaïve 2 3e-3\n木 0 1'],
    ['word2vec, with a header and spaces at the end', '3 2\nthe 0.5 -1 \nnaïve 2 3e-3 \n木 0 1 \n'],
    ['tabs, carriage returns and blank lines', 'the\t0.5\t-1\r\n\r\nnaïve\t2\t3e-3\r\n木\t0\t1\r\n'],
  ])('reads %s, whatever the borders of the pieces', async (_, text) => {
    for (const size of [1, 2, 5, 1000]) expect(await read(text, { size })).toEqual(three)
  })

  it('reads back what was written, over several blocks', async () => {
    const rows = Array.from({ length: 9001 }, (_, i) =>
      [Math.fround(Math.sin(i)), i, (1 - i) / 3].map(Math.fround),
    )
    const text = rows.map((row, i) => `w${i} ${row.join(' ')}\n`).join('')
    const found = await read(text, { size: 100_000 })
    expect(found.rows).toEqual(rows)
    expect([found.words.length, found.words[9000]]).toEqual([9001, 'w9000'])
    expect((await read(text, { size: 100_000, limit: 4097 })).words).toHaveLength(4097)
  })

  it('keeps spaces inside a word, as in GloVe 840B', async () => {
    expect((await read('a 1 2\n. . . 3 4\nat x@y.z 5 6\n')).words).toEqual(['a', '. . .', 'at x@y.z'])
  })

  it.each<[string, string | Uint8Array, string]>([
    [
      'a short row',
      'a 1 2 3\nb 1 2\n',
      'a line must have a word and 3 numbers like the first line, got 2 numbers on line 2',
    ],
    ['a long row', 'a 1 2\nb 1 2 3\n', 'a word and 2 numbers like the first line, got 3 numbers on line 2'],
    ['a missing word', 'a 1 2\n 1 2\n', 'must begin with a word, got a space on line 2'],
    ['no numbers', 'hello\nworld\n', 'must have a word and some numbers'],
    ['NaN', 'a 1 2\nb nan 2\n', 'finite f32 numbers, got "nan" as number 1 on line 2'],
    ['an infinity', 'a 1 2\nb 1 inf\n', 'got "inf" as number 2 on line 2'],
    ['a number beyond f32', 'a 1 2\nb 1 1e39\n', 'got "1e39" as number 2 on line 2'],
    ['text', 'It was the best of times\n', 'got "was" as number 1 on line 1'],
    ['a comma', 'a 1,2 3\n', 'got "1,2" as number 1 on line 1'],
    [
      'bytes that are not UTF-8',
      Uint8Array.of(0x61, 0xff, 0x20, 0x31, 0x0a),
      'the word on line 1 must be UTF-8, got bytes ff at offset 1',
    ],
    ['nothing', '\n\n', 'the file must have a line with a word and numbers, got none'],
  ])('refuses %s, naming the line', async (_, content, message) => {
    const failed = expect(read(content)).rejects
    await failed.toThrow(FormatError)
    await expect(read(content)).rejects.toThrow(message)
  })

  it('refuses a huge line before it is read to its end', async () => {
    let served = 0
    async function* endless() {
      for (;;) {
        served += 65_536
        yield new Uint8Array(65_536).fill(0x31)
      }
    }
    await expect(wordVectorBlocks(endless()).next()).rejects.toThrow('at most 1048576 bytes')
    expect(served).toBeLessThan(2 ** 21)
  })
})

describe('readWordVectors', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tau-words-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }

  it('reads text and wink files, and readEmbeddings does, with the words as labels', async () => {
    const text = await file('words.txt', 'the 1 2 3\nō"] 4 5 6\n')
    const vectors = { the: [1, 2, 3, 9, 0], 'ō"]': [4, 5, 6, 9, 1] }
    const wink = await file(
      'words.json',
      JSON.stringify({ precision: 4, dimensions: 3, words: ['the', 'ō"]'], vectors, unkVector: [0, 0, 0] }),
    )
    const matrix = { data: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 2, cols: 3 }
    for (const path of [text, wink]) {
      expect(await readWordVectors(path)).toEqual({ words: ['the', 'ō"]'], matrix })
      expect(await readEmbeddings(path)).toEqual({ ...matrix, labels: ['the', 'ō"]'] })
      expect((await readWordVectors(path, { limit: 1 })).words).toEqual(['the'])
    }
  })

  it.each([
    ['{"vectors": {}}', 'the file must be an object with dimensions, words and vectors'],
    ['{"dimensions":2,"words":["a"],"vectors":{"b":[1,2,3,0]}}', 'its place, got other bytes at 41'],
    [
      '{"dimensions":2,"words":["a"],"vectors":{"a":[1]}}',
      '"a" must have a vector, its norm and its place, got 1 numbers',
    ],
    [
      '{"dimensions":2,"words":["a"],"vectors":{"a":[1,"x",3,0]}}',
      'its place, got a value 2 that is not a number',
    ],
    [
      '{"dimensions":2,"words":["a"],"vectors":{"a":[1,2,3',
      '"a" must have a vector, its norm and its place, got the end of the file',
    ],
    [
      '{"dimensions":1e9,"words":["a"],"vectors":{"a":[1,2,3]}}',
      'the file must be an object with dimensions',
    ],
  ])('refuses %s with the path', async (content, message) => {
    const path = await file('bad.json', content)
    await expect(readWordVectors(path)).rejects.toThrow(`${path}: wink embeddings: `)
    await expect(readWordVectors(path)).rejects.toThrow(message)
  })

  it('says that a file is missing, or no file', async () => {
    await expect(readWordVectors(join(folder, 'none.txt'))).rejects.toThrow(
      'none.txt must be readable, got ENOENT',
    )
    await expect(readWordVectors(folder)).rejects.toThrow('must be a file, got a directory')
  })
})
