import { FormatError } from '@tau/tensor'
import { decodeUtf8, type FileParts } from '@tau/tensor/files'
import { blockBytes, type RowBlock } from '../source.ts'

const OP = 'jsonl'

/** Names that may hold the vector if no field is given. */
export const VECTOR_NAMES = ['embedding', 'embeddings', 'vector', 'values']

/** Bytes that are read at a time. */
const CHUNK = 2 ** 20
const NEW_LINE = 0x0a

/** JSON lines → f64 blocks. A line is an array of numbers, or an object that has one under `field`. Without
 *  `field` the names are embedding, embeddings, vector and values. Blank lines are skipped. Throws
 *  FormatError with the line number. */
export async function* jsonlBlocks(
  parts: FileParts,
  memoryBytes: number,
  field: string | undefined,
): AsyncGenerator<RowBlock> {
  let data = new Float64Array()
  let [cols, first, held, lineNumber, share] = [0, 0, 0, 0, 0]
  const block = (): RowBlock => ({ data: data.subarray(0, held * cols), rows: held, cols, first, share })
  for await (const { lines, read } of lineChunks(parts, blockBytes(memoryBytes))) {
    for (const line of lines) {
      lineNumber++
      if (line.trim() === '') continue
      const row = vectorOf(line, lineNumber, field)
      if (cols === 0) {
        cols = row.length
        data = new Float64Array(Math.max(1, Math.floor(blockBytes(memoryBytes) / (8 * cols))) * cols)
      }
      if (row.length !== cols || cols === 0) {
        throw new FormatError(
          cols === 0
            ? `${OP}: embeddings need at least one column, got none on line ${lineNumber}`
            : `${OP}: all vectors must have the width of the first, ${cols}, got ${row.length} on line ${lineNumber}`,
        )
      }
      data.set(row, held++ * cols)
      if (held * cols < data.length) continue
      yield block()
      first += held
      held = 0
    }
    share = read / parts.size
  }
  if (first + held === 0)
    throw new FormatError(`${OP}: embeddings need at least one row and one column, got [0, 0]`)
  share = 1
  if (held > 0) yield block()
}

/** Chunks of whole lines, and the number of bytes read so far. */
async function* lineChunks(
  parts: FileParts,
  longest: number,
): AsyncGenerator<{ lines: string[]; read: number }> {
  let rest = new Uint8Array()
  for (let read = 0; read < parts.size; ) {
    const start = read - rest.length
    const length = Math.min(CHUNK, parts.size - read)
    const bytes = new Uint8Array(rest.length + length)
    bytes.set(rest)
    await parts.read(read, bytes.subarray(rest.length))
    read += length
    const end = read === parts.size ? bytes.length : bytes.lastIndexOf(NEW_LINE) + 1
    rest = bytes.slice(end)
    if (rest.length > longest) {
      throw new FormatError(
        `${OP}: a line must have at most ${longest} bytes, got more from byte ${start + end} on; raise the memory, or write one vector per line`,
      )
    }
    const what = start === 0 ? `${OP}: text` : `${OP}: text from byte ${start} on`
    const lines = decodeUtf8(bytes.subarray(0, end), what).split('\n')
    if (lines.at(-1) === '') lines.pop() // what follows the last newline is not a line
    yield { lines, read }
  }
}

const vectorOf = (line: string, lineNumber: number, field: string | undefined): number[] => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    throw new FormatError(
      `${OP}: every line must be JSON, got "${(error as Error).message}" on line ${lineNumber}`,
      {
        cause: error,
      },
    )
  }
  const names = field === undefined ? VECTOR_NAMES : [field]
  const vector = Array.isArray(json) ? json : names.map((name) => property(json, name)).find(Array.isArray)
  if (!vector) {
    throw new FormatError(
      `${OP}: a line must be an array, or an object with an array under ${names.join(' or ')}, got ${line.slice(0, 60)} on line ${lineNumber}; ` +
        'pass the name of the field',
    )
  }
  const bad = vector.findIndex((value) => typeof value !== 'number')
  if (bad >= 0) {
    throw new FormatError(
      `${OP}: vectors must be numbers, got ${JSON.stringify(vector[bad])} at position ${bad} on line ${lineNumber}`,
    )
  }
  return vector
}

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
