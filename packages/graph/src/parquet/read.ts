import { FormatError } from '@tau/tensor'
import { parquetScan, type SchemaTree } from 'hyparquet'
import { checkParquet } from './check.ts'

/** Values of one column in file order, one element per row: numbers, bigints, strings, arrays of numbers for lists. */
export type ColumnParts = ArrayLike<unknown>[]

/** Read columns over all row groups and pages. `chooseColumns` sees the schema and names the columns, or throws.
 *  Codecs: none or Snappy. Throws FormatError for anything that is not a sound parquet file. */
export const readParquetColumns = async (
  op: string,
  bytes: Uint8Array,
  chooseColumns: (schema: SchemaTree) => string[],
): Promise<{ rows: number; columns: Map<string, ColumnParts> }> => {
  const { metadata, columns, rows } = checkParquet(op, bytes, chooseColumns)
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end = bytes.length) => Uint8Array.from(bytes.subarray(start, end)).buffer,
  }
  const found = new Map<string, ColumnParts>(columns.map((name) => [name, []]))
  try {
    const scan = await parquetScan({ file, metadata, columns, useOffsetIndex: false })
    for (const { rowStart, rowEnd } of scan.ranges) {
      for (const [column, parts] of found) {
        const part: ArrayLike<unknown> = await scan.readColumn({ column, rowStart, rowEnd })
        if (part.length !== rowEnd - rowStart) {
          throw new RangeError(`column ${column} has ${part.length} of ${rowEnd - rowStart} rows`)
        }
        parts.push(part)
      }
    }
  } catch (error) {
    throw new FormatError(`${op}: parquet data must be readable, got "${(error as Error).message}"`, {
      cause: error,
    })
  }
  return { rows, columns: found }
}
