import { FormatError } from '@tau/tensor'
import type { DenseMatrix } from '../dense.ts'
import { checkEmbeddings } from './numbers.ts'

const OP = 'jsonl'

/** Names under which a vector is looked for when no field is given. */
export const VECTOR_NAMES = ['embedding', 'embeddings', 'vector', 'values']

/** JSON lines → f64 matrix. A line is an array of numbers, or an object with one under `field` (embedding, embeddings, vector or
 *  values unless given). Blank lines are skipped. Throws FormatError with the line number. */
export const parseJsonl = (text: string, { field }: { field?: string } = {}): DenseMatrix => {
  const rows: number[][] = []
  let lineNumber = 0
  for (const line of text.split('\n')) {
    lineNumber++
    if (line.trim() === '') continue
    const row = vectorOf(line, lineNumber, field)
    if (rows.length && row.length !== rows[0].length) {
      throw new FormatError(
        `${OP}: all vectors must have the width of the first, ${rows[0].length}, got ${row.length} on line ${lineNumber}`,
      )
    }
    rows.push(row)
  }
  const cols = rows[0]?.length ?? 0
  const data = new Float64Array(rows.length * cols)
  for (const [i, row] of rows.entries()) data.set(row, i * cols)
  return checkEmbeddings(OP, { data, rows: rows.length, cols })
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
      `${OP}: a line must be an array or have one under ${names.join(', ')}, got ${line.slice(0, 60)} on line ${lineNumber}; ` +
        'pass the field',
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
