import { FormatError } from '@tau/tensor'
import type { FileParts } from '@tau/tensor/files'
import { parquetScan, type SchemaTree } from 'hyparquet'
import { bytesAt, partsOfBytes } from '../bytes.ts'
import { failing, type GroupPlan, type ParquetPlan, planParquet } from './check.ts'
import { checkPages } from './pages.ts'

/** Values of one column in file order, one element per row: numbers, bigints, strings, or arrays of numbers
 *  for lists. */
export type ColumnParts = ArrayLike<unknown>[]

/** Bytes per value while its row group is read: in JavaScript's lists and in pages. */
const BYTES_PER_VALUE = 24

/** The wanted columns of one row group. All its pages are checked before any is decoded. Codecs: none or
 *  Snappy. Throws FormatError for damaged parquet, and for a row group that takes more than `memoryBytes`. */
export const readGroup = async (
  op: string,
  parts: FileParts,
  { metadata, columns }: ParquetPlan,
  { group, rows, values, chunks }: GroupPlan,
  memoryBytes: number,
): Promise<Map<string, ArrayLike<unknown>>> => {
  const needed = values * BYTES_PER_VALUE + chunks.reduce((sum, { size }) => sum + size, 0)
  if (needed > memoryBytes) {
    throw new FormatError(
      `${op}: a row group must fit in the memory of ${memoryBytes} bytes, got ${values} values that take ${needed}; raise the memory, or write smaller row groups`,
    )
  }
  const held: { start: number; bytes: Uint8Array<ArrayBuffer> }[] = []
  for (const { start, size, ...place } of chunks) {
    const bytes = await bytesAt(parts, start, size)
    checkPages(bytes, place, failing(op))
    held.push({ start, bytes })
  }
  const file = {
    byteLength: parts.size,
    slice(start: number, end = parts.size) {
      const chunk = held.find((each) => start >= each.start && end <= each.start + each.bytes.length)
      if (!chunk) throw new RangeError(`bytes ${start} to ${end} lie outside the columns`)
      return chunk.bytes.slice(start - chunk.start, end - chunk.start).buffer
    },
  }
  const found = new Map<string, ArrayLike<unknown>>()
  try {
    const one = { ...metadata, row_groups: [group], num_rows: group.num_rows }
    const scan = await parquetScan({ file, metadata: one, columns, useOffsetIndex: false })
    for (const column of columns) {
      const part: ArrayLike<unknown> = await scan.readColumn({ column, rowStart: 0, rowEnd: rows })
      if (part.length !== rows) throw new RangeError(`column ${column} has ${part.length} of ${rows} rows`)
      found.set(column, part)
    }
  } catch (error) {
    throw new FormatError(`${op}: parquet data must be readable, got "${(error as Error).message}"`, {
      cause: error,
    })
  }
  return found
}

/** The columns over all row groups and pages. `chooseColumns` gets the schema and returns the names of the
 *  columns, or throws. Throws FormatError as `readGroup` does. */
export const readParquetColumns = async (
  op: string,
  bytes: Uint8Array,
  chooseColumns: (schema: SchemaTree) => string[],
): Promise<{ rows: number; columns: Map<string, ColumnParts> }> => {
  const parts = await partsOfBytes(bytes)()
  const plan = await planParquet(op, parts, chooseColumns)
  const columns = new Map<string, ColumnParts>(plan.columns.map((name) => [name, []]))
  for (const group of plan.groups) {
    const found = await readGroup(op, parts, plan, group, Number.POSITIVE_INFINITY)
    for (const [name, part] of found) columns.get(name)?.push(part)
  }
  return { rows: plan.rows, columns }
}
