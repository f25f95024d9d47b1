import { FormatError } from '@tau/tensor'
import type { SchemaTree } from 'hyparquet'
import type { DenseMatrix } from '../dense.ts'
import { type ColumnParts, readParquetColumns } from '../parquet/read.ts'
import { VECTOR_NAMES } from './jsonl.ts'
import { checkEmbeddings } from './numbers.ts'

const OP = 'parquet'
const NUMERIC = ['FLOAT', 'DOUBLE', 'INT32', 'INT64']

/** A .parquet file (Snappy or uncompressed) → f64 matrix. Either one column of lists of numbers (`column`; else embedding, embeddings,
 *  vector or values; else the only list column), or, where no column holds lists, all flat columns, which must be numeric.
 *  Throws FormatError for a damaged file, a null, or lists of unequal lengths. */
export const parseParquetEmbeddings = async (
  bytes: Uint8Array,
  { column }: { column?: string } = {},
): Promise<DenseMatrix> => {
  let holdsLists = false
  const { rows, columns } = await readParquetColumns(OP, bytes, (schema) => {
    const chosen = choose(schema, column)
    holdsLists = chosen.isList
    return chosen.columns
  })
  const lists = [...columns.entries()]
  return checkEmbeddings(OP, holdsLists ? fromLists(...lists[0], rows) : fromColumns(lists, rows))
}

const choose = (schema: SchemaTree, column: string | undefined): { columns: string[]; isList: boolean } => {
  const names = schema.children.map((child) => child.element.name)
  const holdsLists = (name: string) =>
    schema.children.some((child) => child.element.name === name && child.children.length > 0)
  if (column !== undefined) {
    if (!names.includes(column)) {
      throw new FormatError(
        `${OP}: must have a column ${column}, got ${names.join(', ')}; pass another column`,
      )
    }
    return { columns: [column], isList: holdsLists(column) }
  }
  const listColumns = names.filter(holdsLists)
  const named = VECTOR_NAMES.find((name) => listColumns.includes(name))
  if (named) return { columns: [named], isList: true }
  if (listColumns.length === 1) return { columns: listColumns, isList: true }
  const numeric = schema.children.every((child) => NUMERIC.includes(child.element.type ?? ''))
  if (listColumns.length > 1 || !numeric) {
    throw new FormatError(
      `${OP}: must have one column of lists, or numeric columns only, got ${names.join(', ')}; pass the column`,
    )
  }
  return { columns: names, isList: false }
}

const fromLists = (name: string, parts: ColumnParts, rows: number): DenseMatrix => {
  const lists = parts.flatMap((part) => Array.from(part))
  const cols = isList(lists[0]) ? lists[0].length : 0
  // all widths before the allocation: one long list among empty ones must not ask for rows × its length
  for (const [i, list] of lists.entries()) {
    if (!isList(list)) {
      throw new FormatError(
        `${OP}: ${name} must be a list in every row, got ${String(list ?? null)} in row ${i}`,
      )
    }
    if (list.length !== cols) {
      throw new FormatError(
        `${OP}: all lists of ${name} must have the width of the first, ${cols}, got ${list.length} in row ${i}`,
      )
    }
  }
  const data = new Float64Array(rows * cols)
  for (const [i, list] of lists.entries()) {
    for (let j = 0; j < cols; j++) data[i * cols + j] = toNumber((list as ArrayLike<unknown>)[j], name, i)
  }
  return { data, rows, cols }
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || ArrayBuffer.isView(value)

const fromColumns = (columns: [string, ColumnParts][], rows: number): DenseMatrix => {
  const cols = columns.length
  const data = new Float64Array(rows * cols)
  for (const [j, [name, parts]] of columns.entries()) {
    let i = 0
    for (const part of parts) {
      for (let n = 0; n < part.length; n++, i++) data[i * cols + j] = toNumber(part[n], name, i)
    }
  }
  return { data, rows, cols }
}

const toNumber = (value: unknown, name: string, row: number): number => {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new FormatError(`${OP}: ${name} must hold numbers, got ${String(value ?? null)} in row ${row}`)
  }
  return Number(value)
}
