import { FormatError } from '@tau/tensor'

/** A value of `builder_config`. As in ArrowSpace it is tagged with its type, e.g. `{ F64: 1.8 }`, `{ TauMode:
 *  'Median' }`. */
export type ConfigValue = Record<string, unknown>

/** Size and shape of one file beside manifold.json. `sha256` is our addition; ArrowSpace's reader ignores
 *  it. */
export interface ManifoldFile {
  filename: string
  file_type: string
  rows: number
  cols: number
  nnz: number | null
  size_bytes: number | null
  sha256?: string
}

/** The content of manifold.json, with the names of ArrowSpace's file. n_rows and n_cols belong to the data
 *  that the manifold was built from. */
export interface ManifoldMetadata {
  name_id: string
  timestamp: string
  n_rows: number
  n_cols: number
  builder_config: Record<string, ConfigValue>
  files: Record<string, ManifoldFile>
}

/** Text of a manifold.json → metadata, checked field by field. Throws FormatError with the field and its
 *  value. */
export const parseManifoldJson = (text: string): ManifoldMetadata => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new FormatError(
      `manifold.json: the file must be JSON, got "${(error as Error).message}"; write it again`,
      {
        cause: error,
      },
    )
  }
  const fields = record('manifold.json', json)
  const config = record('builder_config', fields.builder_config)
  const files = record('files', fields.files)
  return {
    name_id: string('name_id', fields.name_id),
    timestamp: string('timestamp', fields.timestamp),
    n_rows: count('n_rows', fields.n_rows),
    n_cols: count('n_cols', fields.n_cols),
    builder_config: mapValues(config, (value, key) => record(`builder_config.${key}`, value)),
    files: mapValues(files, (value, key) => fileInfo(`files.${key}`, value)),
  }
}

/** Metadata → text of a manifold.json. */
export const encodeManifoldJson = (metadata: ManifoldMetadata): string =>
  `${JSON.stringify(metadata, undefined, 2)}\n`

/** The number in `builder_config[key]`, whatever its tag. Undefined if it is absent or not a number, or if
 *  there is no metadata. */
export const configNumber = (metadata: ManifoldMetadata | undefined, key: string): number | undefined => {
  const value = Object.values(metadata?.builder_config?.[key] ?? {})[0]
  return typeof value === 'number' ? value : undefined
}

const fileInfo = (path: string, value: unknown): ManifoldFile => {
  const fields = record(path, value)
  const optional = (key: string) =>
    fields[key] === null || fields[key] === undefined ? null : count(`${path}.${key}`, fields[key])
  const info: ManifoldFile = {
    filename: string(`${path}.filename`, fields.filename),
    file_type: string(`${path}.file_type`, fields.file_type),
    rows: count(`${path}.rows`, fields.rows),
    cols: count(`${path}.cols`, fields.cols),
    nnz: optional('nnz'),
    size_bytes: optional('size_bytes'),
  }
  return fields.sha256 === undefined ? info : { ...info, sha256: string(`${path}.sha256`, fields.sha256) }
}

const wrong = (path: string, wanted: string, value: unknown): FormatError =>
  new FormatError(`manifold.json: ${path} must be ${wanted}, got ${JSON.stringify(value)?.slice(0, 60)}`)

const record = (path: string, value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(path, 'an object', value)
  return value as Record<string, unknown>
}

const string = (path: string, value: unknown): string => {
  if (typeof value !== 'string') throw wrong(path, 'a string', value)
  return value
}

const count = (path: string, value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw wrong(path, 'an integer of at least 0', value)
  }
  return value
}

const mapValues = <T>(
  object: Record<string, unknown>,
  map: (value: unknown, key: string) => T,
): Record<string, T> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]))
