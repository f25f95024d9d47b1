import { FormatError } from '@tau/tensor'
import type { FileMetaData, SchemaTree } from 'hyparquet'
import { parquetMetadata, parquetSchema } from 'hyparquet'
import { type ChunkPlace, checkPages } from './pages.ts'

// hyparquet allocates what a file claims. Everything that it will allocate or loop over for the wanted columns is checked
// against the bytes at hand first: offsets, sizes, counts, compression ratios, run lengths.

/** Most values that one file may hold: 2^28. */
const MAX_VALUES = 2 ** 28
// Constant columns compress to almost nothing, real numbers hardly at all.
const MAX_VALUES_PER_BYTE = 64

/** Metadata of a parquet file whose `columns` can be read safely. Throws FormatError with what is wrong otherwise. */
export const checkParquet = (
  op: string,
  bytes: Uint8Array,
  chooseColumns: (schema: SchemaTree) => string[],
): { metadata: FileMetaData; columns: string[]; rows: number } => {
  const fail = (rule: string): never => {
    throw new FormatError(`${op}: ${rule}; the file is damaged or not parquet, write it again`)
  }
  if (bytes.length < 12) fail(`a parquet file has at least 12 bytes, got ${bytes.length}`)
  const magic = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (magic(0) !== 'PAR1' || magic(bytes.length - 4) !== 'PAR1') {
    fail('a parquet file must start and end with PAR1 (it may be truncated)')
  }
  let metadata: FileMetaData
  let schema: SchemaTree
  try {
    metadata = parquetMetadata(bytes)
    schema = parquetSchema(metadata)
  } catch (error) {
    return fail(`the footer must be readable, got "${(error as Error).message}"`)
  }
  const columns = chooseColumns(schema)
  const footerStart = bytes.length - 8 - metadata.metadata_length
  if (!(footerStart >= 4)) fail(`the footer must fit the file, got ${metadata.metadata_length} bytes`)
  let rows = 0
  let values = 0
  for (const group of metadata.row_groups) {
    const groupRows =
      toCount(group.num_rows) ?? fail(`row counts must not be negative, got ${group.num_rows}`)
    rows += groupRows
    const found = new Set<string>()
    for (const { file_path, meta_data } of group.columns) {
      const name = meta_data?.path_in_schema[0]
      if (meta_data === undefined || name === undefined) return fail('column chunks must have metadata')
      if (!columns.includes(name)) continue
      if (file_path) fail(`column ${name} must lie in this file, got ${file_path}`)
      found.add(name)
      const start = toCount(meta_data.dictionary_page_offset || meta_data.data_page_offset)
      const size = toCount(meta_data.total_compressed_size)
      const count = toCount(meta_data.num_values)
      if (start === undefined || size === undefined || count === undefined) {
        return fail(`offsets and counts of column ${name} must not be negative`)
      }
      if (start < 4 || start + size > footerStart) {
        fail(`column ${name} must lie within bytes 4 to ${footerStart}, got ${start} to ${start + size}`)
      }
      values += count
      if (values > MAX_VALUES || values > MAX_VALUES_PER_BYTE * bytes.length + 2 ** 20) {
        fail(`${bytes.length} bytes cannot hold ${values} values`)
      }
      const place: ChunkPlace = {
        name,
        codec: meta_data.codec,
        type: meta_data.type,
        count,
        levels: levelsOf(schema, meta_data.path_in_schema, fail),
      }
      if (place.levels.repetition === 0 && count !== groupRows) {
        fail(`column ${name} must have one value per row, got ${count} for ${groupRows} rows`)
      }
      checkPages(bytes.subarray(start, start + size), place, fail)
    }
    for (const name of columns) if (!found.has(name)) fail(`every row group must hold column ${name}`)
  }
  if (rows !== toCount(metadata.num_rows)) {
    fail(`the row groups must add up to ${metadata.num_rows} rows, got ${rows}`)
  }
  return { metadata, columns, rows }
}

const toCount = (value: bigint | undefined): number | undefined =>
  typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : undefined

/** How many levels of repetition and definition a leaf has. */
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
