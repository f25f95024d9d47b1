import { FormatError } from '@tau/tensor'
import { decodeUtf8, type FilePlace, pathOf } from '@tau/tensor/files'
import { checkPlace } from '../../errors.ts'
import { bytesAt, chunksOf, partsOfFile, withParts } from '../../files/bytes.ts'
import { decimalAt } from './decimal.ts'
import type { WordBlock, WordVectorOptions, WordVectors } from './vectors.ts'
import { parseWinkVectors } from './wink.ts'

const OP = 'word vectors'
/** Longest line: a vector of 65 536 numbers. */
const MAX_LINE = 2 ** 20
const BLOCK_ROWS = 4096
const NEW_LINE = 0x0a
const SPACE = 0x20
const TAB = 0x09
const RETURN = 0x0d

/** Text of word vectors, in pieces → blocks of at most 4096 rows. A line is a word and its numbers, separated
 *  by spaces or tabs, as GloVe, fastText and word2vec write them. A first line of two whole numbers (number
 *  of words, width) is skipped.
 *  A word may contain spaces, as some of GloVe's do. If it ends in a number, the line has too many numbers
 *  and is an error. Memory holds one block and one line.
 *  Throws FormatError, with the line, for rows of unequal width, values that are not finite numbers, bytes
 *  that are not UTF-8, and lines above 1 MiB. */
export async function* wordVectorBlocks(
  chunks: AsyncIterable<Uint8Array>,
  { limit = Number.POSITIVE_INFINITY, blockBytes = Number.POSITIVE_INFINITY }: WordVectorOptions = {},
): AsyncGenerator<WordBlock> {
  const lines = new Lines()
  let block: WordBlock | undefined
  let most = 0
  let count = 0
  for await (const line of linesOf(chunks)) {
    const row = lines.read(line)
    if (row === undefined) continue
    most ||= Math.max(1, Math.min(BLOCK_ROWS, Math.floor(blockBytes / (4 * lines.cols))))
    block ??= { data: new Float32Array(most * lines.cols), rows: 0, cols: lines.cols, words: [] }
    block.data.set(row.vector, block.rows * lines.cols)
    block.words.push(row.word)
    block.rows++
    count++
    if (block.rows < most && count < limit) continue
    yield trimmed(block)
    block = undefined
    if (count >= limit) return
  }
  if (block) yield trimmed(block)
  if (count === 0) throw new FormatError(`${OP}: the file must have a line with a word and numbers, got none`)
}

const trimmed = (block: WordBlock): WordBlock => ({
  ...block,
  data: block.data.subarray(0, block.rows * block.cols),
})

/** Reads lines one by one. It knows the width, which the first line sets, and the number of the line. */
class Lines {
  cols = 0
  #number = 0
  #vector = new Float32Array(0)
  /** field f of the current line is the bytes [#starts[f], #ends[f]) */
  #starts: number[] = []
  #ends: number[] = []

  /** The word and vector of a line, valid until the next line; undefined for a header or a blank line. */
  read(line: Uint8Array): { word: string; vector: Float32Array } | undefined {
    this.#number++
    const fields = this.#split(line)
    if (fields === 0) return undefined
    if (line[0] === SPACE || line[0] === TAB) this.#fail('begin with a word', 'a space')
    if (this.cols === 0) {
      if (this.#number === 1 && this.#isHeader(line, fields)) return undefined
      this.cols = fields - 1
      this.#vector = new Float32Array(this.cols)
    }
    const first = fields - this.cols
    if (this.cols === 0 || first < 1) {
      this.#fail(
        `have a word and ${this.cols || 'some'} numbers like the first line`,
        `${fields - 1} numbers`,
      )
    }
    for (let c = 0; c < this.cols; c++) {
      const [start, end] = [this.#starts[first + c], this.#ends[first + c]]
      const value = Math.fround(decimalAt(line, start, end))
      if (!Number.isFinite(value)) {
        const text = new TextDecoder().decode(line.subarray(start, Math.min(end, start + 40)))
        this.#fail('have finite f32 numbers', `"${text}" as number ${c + 1}`)
      }
      this.#vector[c] = value
    }
    if (first > 1 && !Number.isNaN(decimalAt(line, this.#starts[first - 1], this.#ends[first - 1]))) {
      this.#fail(`have a word and ${this.cols} numbers like the first line`, `${fields - 1} numbers`)
    }
    const word = decodeUtf8(
      line.subarray(0, this.#ends[first - 1]),
      `${OP}: the word on line ${this.#number}`,
    )
    return { word, vector: this.#vector }
  }

  #split(line: Uint8Array): number {
    let fields = 0
    for (let at = 0; at < line.length; ) {
      while (line[at] === SPACE || line[at] === TAB || line[at] === RETURN) at++
      if (at >= line.length) break
      this.#starts[fields] = at
      while (at < line.length && line[at] !== SPACE && line[at] !== TAB && line[at] !== RETURN) at++
      this.#ends[fields++] = at
    }
    return fields
  }

  #isHeader(line: Uint8Array, fields: number): boolean {
    if (fields !== 2) return false
    return [0, 1].every((f) => Number.isInteger(decimalAt(line, this.#starts[f], this.#ends[f])))
  }

  #fail(rule: string, got: string): never {
    throw new FormatError(
      `${OP}: a line must ${rule}, got ${got} on line ${this.#number}; repair or remove that line`,
    )
  }
}

/** The lines without their newlines. Each is valid until the next is requested. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0)
  let number = 1
  for await (const chunk of chunks) {
    let bytes = chunk
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + chunk.length)
      bytes.set(rest)
      bytes.set(chunk, rest.length)
    }
    let start = 0
    for (let end = bytes.indexOf(NEW_LINE); end >= 0; end = bytes.indexOf(NEW_LINE, start)) {
      checkLength(end - start, number++)
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.slice(start)
    checkLength(rest.length, number)
  }
  if (rest.length > 0) yield rest
}

const checkLength = (length: number, number: number): void => {
  if (length > MAX_LINE) {
    throw new FormatError(
      `${OP}: a line must have at most ${MAX_LINE} bytes, got ${length} on line ${number}; check that the file is text with a word and numbers per line`,
    )
  }
}

/** The word vectors of a file. `.txt` and `.vec` files are read piece by piece by `wordVectorBlocks`. A
 *  `.json` file must be the file of a wink-embeddings package.
 *  Throws FormatError, with the path, for a damaged file or another format, and Error for a file that cannot
 *  be read. */
export const readWordVectors = async (
  file: FilePlace,
  options: WordVectorOptions = {},
): Promise<WordVectors> => {
  checkPlace('readWordVectors', file)
  const path = pathOf(file)
  try {
    const isWink = path.toLowerCase().endsWith('.json')
    return await withParts(partsOfFile(file), async (parts) =>
      isWink
        ? parseWinkVectors(await bytesAt(parts, 0, parts.size), options)
        : collectWords(wordVectorBlocks(chunksOf(parts), options)),
    )
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(`${path}: ${error.message}`, { cause: error })
  }
}

/** All blocks as one matrix. */
const collectWords = async (blocks: AsyncIterable<WordBlock>): Promise<WordVectors> => {
  const parts: WordBlock[] = []
  for await (const block of blocks) parts.push(block)
  const cols = parts[0].cols
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const data = new Float32Array(rows * cols)
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return { words: parts.flatMap(({ words }) => words), matrix: { data, rows, cols } }
}
