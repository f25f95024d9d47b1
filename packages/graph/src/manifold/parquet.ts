import { FormatError } from '@tau/tensor'
import type { SchemaElement, SchemaTree } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { checkBytes, GraphError } from '../errors.ts'
import { type ColumnParts, readParquetColumns } from '../files/parquet/read.ts'
import { type Csr, checkCsr, csrFromCoo, nnz, toCoo } from '../sparse/csr.ts'
import { MANIFOLD_COLUMNS, MAX_SIZE } from './schema.ts'

const OP = 'manifold.parquet'

/** Bytes of a manifold.parquet (ours or ArrowSpace's; Snappy or uncompressed; any number of row groups and
 *  pages) → sparse matrix.
 *  Throws FormatError if the file is truncated or lacks a column, and for counts, indices or values that
 *  contradict the file. */
export const parseManifoldParquet = async (bytes: Uint8Array): Promise<{ nameId: string; matrix: Csr }> => {
  checkBytes('parseManifoldParquet', bytes)
  const { rows, columns } = await readParquetColumns(OP, bytes, checkSchema)
  if (rows === 0) throw new FormatError(`${OP}: the file must have at least one entry, got 0 rows`)
  const parts = (name: string): ColumnParts => columns.get(name) ?? []
  const nRows = constantInteger('n_rows', parts('n_rows'), MAX_SIZE)
  const nCols = constantInteger('n_cols', parts('n_cols'), MAX_SIZE)
  const count = constantInteger('nnz', parts('nnz'), Number.MAX_SAFE_INTEGER)
  if (count !== rows) {
    throw new FormatError(
      `${OP}: nnz must be the number of rows in the file, got nnz ${count} and ${rows} rows; write it again`,
    )
  }
  const row = integers('row', parts('row'), rows, nRows)
  const col = integers('col', parts('col'), rows, nCols)
  const value = numbers(parts('value'), rows)
  try {
    const matrix = csrFromCoo({ nRows, nCols, row, col, value }, { duplicates: 'error' })
    return { nameId: constantString(parts('name_id')), matrix }
  } catch (error) {
    if (!(error instanceof GraphError)) throw error
    throw new FormatError(`${OP}: ${error.message.replace('csrFromCoo: ', '')}`, { cause: error })
  }
}

const checkSchema = (schema: SchemaTree): string[] => {
  for (const { name, type } of MANIFOLD_COLUMNS) {
    const found = schema.children.find((child) => child.element.name === name)
    if (found?.element.type !== type) {
      const have = schema.children
        .map(({ element }) => `${JSON.stringify(element.name)} ${element.type}`)
        .join(', ')
      throw new FormatError(`${OP}: the file must have a column ${name} of type ${type}, got columns ${have}`)
    }
  }
  return MANIFOLD_COLUMNS.map((column) => column.name)
}

function* elements(parts: ColumnParts): Generator<unknown> {
  for (const part of parts) for (let i = 0; i < part.length; i++) yield part[i]
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? `"${value.slice(0, 40)}"` : String(value)

const constantString = (parts: ColumnParts): string => {
  const first = parts[0][0]
  for (const value of elements(parts)) {
    if (typeof value !== 'string' || value !== first) {
      throw new FormatError(
        `${OP}: name_id must be the same string in all rows, got ${shown(first)} and ${shown(value)}`,
      )
    }
  }
  return first as string
}

const constantInteger = (name: string, parts: ColumnParts, most: number): number => {
  const first = parts[0][0]
  if (typeof first !== 'bigint' || first < 1n || first > BigInt(most)) {
    throw new FormatError(`${OP}: ${name} must be an integer between 1 and ${most}, got ${shown(first)}`)
  }
  for (const value of elements(parts)) {
    if (value !== first) {
      throw new FormatError(`${OP}: ${name} must be the same in all rows, got ${first} and ${shown(value)}`)
    }
  }
  return Number(first)
}

const integers = (name: string, parts: ColumnParts, count: number, size: number): Int32Array => {
  const out = new Int32Array(count)
  let at = 0
  for (const value of elements(parts)) {
    if (typeof value !== 'bigint' || value < 0n || value >= BigInt(size)) {
      throw new FormatError(
        `${OP}: ${name} must be an integer between 0 and ${size - 1}, got ${shown(value)} in entry ${at}`,
      )
    }
    out[at++] = Number(value)
  }
  return out
}

const numbers = (parts: ColumnParts, count: number): Float64Array => {
  const out = new Float64Array(count)
  let at = 0
  for (const value of elements(parts)) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new FormatError(`${OP}: value must be a finite number, got ${shown(value)} in entry ${at}`)
    }
    out[at++] = value
  }
  return out
}

/** Sparse matrix → bytes of a manifold.parquet in ArrowSpace's schema, with Snappy. Throws GraphError for a
 *  matrix without entries, and for an entry that is not finite. */
export const encodeManifoldParquet = (
  matrix: Csr,
  { nameId }: { nameId: string },
): Uint8Array<ArrayBuffer> => {
  checkCsr(OP, matrix)
  if (nnz(matrix) === 0)
    throw new GraphError(`${OP}: a matrix needs at least one entry to be stored, got none`)
  const bad = matrix.values.findIndex((v) => !Number.isFinite(v))
  if (bad >= 0)
    throw new GraphError(`${OP}: values must be finite, got ${matrix.values[bad]} in entry ${bad}`)
  const { nRows, nCols, row, col, value } = toCoo(matrix)
  const repeated = (n: number) => new BigInt64Array(value.length).fill(BigInt(n))
  const data = {
    name_id: new Array<string>(value.length).fill(nameId),
    n_rows: repeated(nRows),
    n_cols: repeated(nCols),
    nnz: repeated(value.length),
    row: BigInt64Array.from(row, BigInt),
    col: BigInt64Array.from(col, BigInt),
    value,
  }
  const schema: SchemaElement[] = [
    { name: 'arrow_schema', num_children: MANIFOLD_COLUMNS.length },
    ...MANIFOLD_COLUMNS.map(({ name, type }): SchemaElement => {
      const column: SchemaElement = { name, type, repetition_type: 'REQUIRED' }
      if (type === 'BYTE_ARRAY') {
        return { ...column, converted_type: 'UTF8', logical_type: { type: 'STRING' } }
      }
      if (type === 'DOUBLE') return column
      const logical_type = { type: 'INTEGER', bitWidth: 64, isSigned: false } as const
      return { ...column, converted_type: 'UINT_64', logical_type }
    }),
  ]
  return new Uint8Array(
    parquetWriteBuffer({
      schema,
      columnData: MANIFOLD_COLUMNS.map(({ name }) => ({ name, data: data[name] })),
      codec: 'SNAPPY',
      rowGroupSize: 2 ** 20,
      createdBy: '@tau/graph',
    }),
  )
}
