import { FormatError } from '@tau/tensor'
import type { FileParts } from '@tau/tensor/files'
import type { SchemaTree } from 'hyparquet'
import { type ParquetPlan, planParquet } from '../../files/parquet/check.ts'
import { readGroup } from '../../files/parquet/read.ts'
import { blockBytes, type RowBlock } from '../source.ts'
import { VECTOR_NAMES } from './jsonl.ts'

const OP = 'parquet'
const NUMERIC = ['FLOAT', 'DOUBLE', 'INT32', 'INT64']

/** Which columns of a file are the embeddings. */
export interface ParquetRows {
  plan: ParquetPlan
  /** one column of lists, or as many columns of numbers as the embeddings have */
  holdsLists: boolean
}

/** Chooses the columns that hold the embeddings. It takes one column of lists of numbers: `column` if given,
 *  else embedding, embeddings, vector or values, else the only list column. If no column holds lists, it
 *  takes all columns, which must be numeric. Throws FormatError for a damaged footer. */
export const parquetRows = async (parts: FileParts, column: string | undefined): Promise<ParquetRows> => {
  let holdsLists = false
  const plan = await planParquet(OP, parts, (schema) => {
    const chosen = choose(schema, column)
    holdsLists = chosen.isList
    return chosen.columns
  })
  if (plan.rows === 0)
    throw new FormatError(`${OP}: embeddings need at least one row and one column, got 0 rows`)
  return { plan, holdsLists }
}

/** The row groups, one at a time (Snappy or uncompressed) → f64 blocks. Throws FormatError for a damaged
 *  file, a null, lists of unequal lengths, or a row group that takes more than the memory. */
export async function* parquetBlocks(
  parts: FileParts,
  { plan, holdsLists }: ParquetRows,
  memoryBytes: number,
): AsyncGenerator<RowBlock> {
  let [first, cols] = [0, holdsLists ? 0 : plan.columns.length]
  for (const group of plan.groups) {
    if (group.rows === 0) continue
    const columns = [...(await readGroup(OP, parts, plan, group, memoryBytes))]
    if (holdsLists) cols = listWidth(...columns[0], cols, first)
    if (cols === 0)
      throw new FormatError(`${OP}: embeddings need at least one row and one column, got [${plan.rows}, 0]`)
    const most = Math.max(1, Math.floor(blockBytes(memoryBytes) / (8 * cols)))
    for (let at = 0; at < group.rows; at += most) {
      const rows = Math.min(most, group.rows - at)
      const data = new Float64Array(rows * cols)
      if (holdsLists) fillFromLists(data, ...columns[0], at, cols, first)
      else for (const [j, each] of columns.entries()) fillFromColumn(data, ...each, at, cols, j, first)
      yield { data, rows, cols, first: first + at, share: (first + at + rows) / plan.rows }
    }
    first += group.rows
  }
}

const choose = (schema: SchemaTree, column: string | undefined): { columns: string[]; isList: boolean } => {
  const names = schema.children.map((child) => child.element.name)
  const holdsLists = (name: string) =>
    schema.children.some((child) => child.element.name === name && child.children.length > 0)
  if (column !== undefined) {
    if (!names.includes(column)) {
      throw new FormatError(
        `${OP}: the file must have a column ${column}, got ${names.join(', ')}; pass the name of another column`,
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
      `${OP}: the file must have one column of lists, or only numeric columns, got ${names.join(', ')}; pass the name of the column`,
    )
  }
  return { columns: names, isList: false }
}

/** Width of the lists of a row group: `cols`, or the length of the first list if `cols` is 0. All lists are
 *  checked before memory is taken. Otherwise one long list among empty ones could ask for rows × its
 *  length. */
const listWidth = (name: string, lists: ArrayLike<unknown>, cols: number, first: number): number => {
  let width = cols
  for (let i = 0; i < lists.length; i++) {
    const list = lists[i]
    if (!isList(list)) {
      throw new FormatError(
        `${OP}: ${name} must be a list in every row, got ${String(list ?? null)} in row ${first + i}`,
      )
    }
    if (first + i === 0) width = list.length
    if (list.length !== width) {
      throw new FormatError(
        `${OP}: all lists of ${name} must have the width of the first, ${width}, got ${list.length} in row ${first + i}`,
      )
    }
  }
  return width
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || ArrayBuffer.isView(value)

const fillFromLists = (
  data: Float64Array,
  name: string,
  lists: ArrayLike<unknown>,
  at: number,
  cols: number,
  first: number,
): void => {
  for (let n = 0; n < data.length; n++) {
    const row = at + Math.floor(n / cols)
    data[n] = toNumber((lists[row] as ArrayLike<unknown>)[n % cols], name, first + row)
  }
}

const fillFromColumn = (
  data: Float64Array,
  name: string,
  values: ArrayLike<unknown>,
  at: number,
  cols: number,
  column: number,
  first: number,
): void => {
  for (let i = 0; i * cols < data.length; i++)
    data[i * cols + column] = toNumber(values[at + i], name, first + at + i)
}

const toNumber = (value: unknown, name: string, row: number): number => {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new FormatError(`${OP}: ${name} must hold numbers, got ${String(value ?? null)} in row ${row}`)
  }
  return Number(value)
}
