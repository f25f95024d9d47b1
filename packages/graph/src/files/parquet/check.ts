import { FormatError } from '@tau/tensor'
import type { FileParts } from '@tau/tensor/files'
import type { FileMetaData, RowGroup, SchemaTree } from 'hyparquet'
import { parquetMetadata, parquetSchema } from 'hyparquet'
import { bytesAt } from '../bytes.ts'
import type { ChunkPlace } from './pages.ts'

// hyparquet allocates whatever a file claims. So every number that it will trust for the wanted columns is
// first checked against the actual bytes: offsets, sizes, counts, compression ratios and run lengths.

/** Most values in one row group: 2^28. */
const MAX_VALUES = 2 ** 28
// Constant columns compress to almost nothing; real numbers hardly compress.
const MAX_VALUES_PER_BYTE = 64
/** Largest footer. A footer has some hundred bytes per column and row group. */
const MAX_FOOTER_BYTES = 2 ** 26

/** A parquet file with its footer read and the places of its wanted columns checked. */
export interface ParquetPlan {
  metadata: FileMetaData
  columns: string[]
  rows: number
  groups: GroupPlan[]
}

/** A row group and the chunks of the wanted columns in it. */
export interface GroupPlan {
  group: RowGroup
  rows: number
  /** number of values in all its wanted chunks */
  values: number
  chunks: (ChunkPlace & { start: number; size: number })[]
}

type Fail = (rule: string) => never

export const failing =
  (op: string): Fail =>
  (rule) => {
    throw new FormatError(`${op}: ${rule}; the file is damaged or not parquet, write it again`)
  }

/** Reads the footer of a parquet file and checks everything except the pages. Throws FormatError with what is
 *  wrong. */
export const planParquet = async (
  op: string,
  parts: FileParts,
  chooseColumns: (schema: SchemaTree) => string[],
): Promise<ParquetPlan> => {
  const fail = failing(op)
  const { size } = parts
  if (size < 12) fail(`a parquet file must have at least 12 bytes, got ${size}`)
  const [head, tail] = [await bytesAt(parts, 0, 4), await bytesAt(parts, size - 8, 8)]
  const isMagic = (bytes: Uint8Array) => String.fromCharCode(...bytes) === 'PAR1'
  if (!isMagic(head) || !isMagic(tail.subarray(4))) {
    fail('a parquet file must start and end with PAR1 (it may be truncated)')
  }
  const footerBytes = new DataView(tail.buffer).getUint32(0, true)
  const footerStart = size - 8 - footerBytes
  if (footerStart < 4 || footerBytes > MAX_FOOTER_BYTES)
    fail(`the footer must fit in the file, got ${footerBytes} bytes`)
  let metadata: FileMetaData
  let schema: SchemaTree
  try {
    metadata = parquetMetadata(await bytesAt(parts, footerStart, footerBytes + 8))
    schema = parquetSchema(metadata)
  } catch (error) {
    return fail(`the footer must be readable, got "${(error as Error).message}"`)
  }
  const columns = chooseColumns(schema)
  const groups = metadata.row_groups.map((group) => planGroup(group, schema, columns, footerStart, fail))
  const values = groups.reduce((sum, group) => sum + group.values, 0)
  if (values > MAX_VALUES_PER_BYTE * size + 2 ** 20) fail(`${size} bytes cannot hold ${values} values`)
  const rows = groups.reduce((sum, group) => sum + group.rows, 0)
  if (rows !== toCount(metadata.num_rows)) {
    fail(`the row groups must add up to ${metadata.num_rows} rows, got ${rows}`)
  }
  return { metadata, columns, rows, groups }
}

const planGroup = (
  group: RowGroup,
  schema: SchemaTree,
  columns: string[],
  footerStart: number,
  fail: Fail,
): GroupPlan => {
  const rows = toCount(group.num_rows) ?? fail(`row counts must not be negative, got ${group.num_rows}`)
  const chunks: GroupPlan['chunks'] = []
  for (const { file_path, meta_data } of group.columns) {
    const name = meta_data?.path_in_schema[0]
    if (meta_data === undefined || name === undefined) return fail('column chunks must have metadata')
    if (!columns.includes(name)) continue
    if (file_path) fail(`column ${name} must lie in this file, got ${file_path}`)
    const start = toCount(meta_data.dictionary_page_offset || meta_data.data_page_offset)
    const size = toCount(meta_data.total_compressed_size)
    const count = toCount(meta_data.num_values)
    if (start === undefined || size === undefined || count === undefined) {
      return fail(`offsets and counts of column ${name} must not be negative`)
    }
    if (start < 4 || start + size > footerStart) {
      fail(`column ${name} must lie within bytes 4 to ${footerStart}, got ${start} to ${start + size}`)
    }
    const levels = levelsOf(schema, meta_data.path_in_schema, fail)
    if (levels.repetition === 0 && count !== rows) {
      fail(`column ${name} must have one value per row, got ${count} for ${rows} rows`)
    }
    chunks.push({ name, codec: meta_data.codec, type: meta_data.type, count, levels, start, size })
  }
  for (const name of columns) {
    if (!chunks.some((chunk) => chunk.name === name)) fail(`every row group must hold column ${name}`)
  }
  const values = chunks.reduce((sum, { count }) => sum + count, 0)
  if (values > MAX_VALUES) fail(`a row group must hold at most ${MAX_VALUES} values, got ${values}`)
  return { group, rows, values, chunks }
}

const toCount = (value: bigint | undefined): number | undefined =>
  typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : undefined

/** The number of repetition levels and definition levels of a leaf. */
const levelsOf = (
  schema: SchemaTree,
  path: string[],
  fail: (rule: string) => never,
): { repetition: number; definition: number } => {
  let node = schema
  let repetition = 0
  let definition = 0
  for (const part of path) {
    node =
      node.children.find((child) => child.element.name === part) ??
      fail(`the schema must have ${path.join('.')}`)
    if (node.element.repetition_type === 'REPEATED') repetition++
    if (node.element.repetition_type !== 'REQUIRED') definition++
  }
  return { repetition, definition }
}
