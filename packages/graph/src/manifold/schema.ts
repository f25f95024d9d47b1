/** ArrowSpace's COO schema: one row per non-zero. The first four columns have the same value in every row.
 *  All columns are required. */
export const MANIFOLD_COLUMNS = [
  { name: 'name_id', type: 'BYTE_ARRAY' },
  { name: 'n_rows', type: 'INT64' },
  { name: 'n_cols', type: 'INT64' },
  { name: 'nnz', type: 'INT64' },
  { name: 'row', type: 'INT64' },
  { name: 'col', type: 'INT64' },
  { name: 'value', type: 'DOUBLE' },
] as const

export const PARQUET_NAME = 'manifold.parquet'
export const JSON_NAME = 'manifold.json'

/** Largest number of rows or columns that a manifold file may claim: 2^24 row pointers are 64 MiB. */
export const MAX_SIZE = 2 ** 24
