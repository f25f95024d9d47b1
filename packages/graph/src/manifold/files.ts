import { FormatError } from '@tau/tensor'
import {
  type FilePlace,
  type FolderPlace,
  fileAt,
  fileExists,
  pathOf,
  readFileBytes,
  readUtf8File,
  type StoredFile,
  sha256,
  storeAt,
} from '@tau/tensor/files'
import { checkOptions, checkPlace } from '../errors.ts'
import { assertLaplacian } from '../laplacian/check.ts'
import { type Csr, nnz } from '../sparse/csr.ts'
import { type ConfigValue, encodeManifoldJson, type ManifoldMetadata, parseManifoldJson } from './metadata.ts'
import { encodeManifoldParquet, parseManifoldParquet } from './parquet.ts'
import { JSON_NAME, PARQUET_NAME } from './schema.ts'

/** Largest manifold.json. The real file is a page of text. */
const MAX_JSON_BYTES = 2 ** 24

export interface Manifold {
  laplacian: Csr
  nameId: string
  /** undefined if there is no manifold.json beside the parquet file */
  metadata: ManifoldMetadata | undefined
}

/** Reads a manifold. `place` is a folder, as a path or a store, that holds manifold.parquet and perhaps
 *  manifold.json. It can also be one parquet file: a path that ends in `.parquet`, or a file of a store.
 *  `size` is the number of rows that L must have. `check: false` skips the checks of symmetry and
 *  definiteness (for inspection).
 *  Throws FormatError for damaged files, GraphError for a matrix that is not a Laplacian of that size, and
 *  Error for files that cannot be read. */
export const readManifold = async (
  place: FolderPlace | FilePlace,
  { size, check = true }: { size?: number; check?: boolean } = {},
): Promise<Manifold> => {
  checkPlace('readManifold', place)
  const file = parquetFile(place)
  const bytes = await readFileBytes(file, 'manifold')
  const { matrix, nameId } = await parseManifoldParquet(bytes)
  const metadata = await readMetadata({ store: file.store, name: JSON_NAME })
  if (metadata) await checkAgainst(metadata, file.name, bytes, matrix)
  if (check) assertLaplacian(`manifold ${pathOf(file)}`, matrix, { size, rowSums: 'any' })
  return { laplacian: matrix, nameId, metadata }
}

const parquetFile = (place: FolderPlace | FilePlace): StoredFile => {
  if (typeof place === 'string' && place.endsWith('.parquet')) return fileAt(place)
  if (typeof place === 'object' && 'store' in place) return place
  return { store: storeAt(place), name: PARQUET_NAME }
}

const readMetadata = async (file: StoredFile): Promise<ManifoldMetadata | undefined> =>
  (await fileExists(file))
    ? parseManifoldJson(await readUtf8File(file, 'manifold', MAX_JSON_BYTES))
    : undefined

/** Throws unless the parquet file agrees with its entry in manifold.json. The list of ArrowSpace names other
 *  files; then there is nothing to compare. */
const checkAgainst = async (
  metadata: ManifoldMetadata,
  filename: string,
  bytes: Uint8Array<ArrayBuffer>,
  matrix: Csr,
): Promise<void> => {
  const info = Object.values(metadata.files).find((file) => file.filename === filename)
  if (!info) return
  const compare = (name: string, says: unknown, is: unknown) => {
    if (says !== null && says !== undefined && says !== is) {
      throw new FormatError(
        `manifold: ${filename} must agree with ${JSON_NAME}, got ${name} ${is} instead of ${says}; restore or rebuild both files`,
      )
    }
  }
  compare('size_bytes', info.size_bytes, bytes.length)
  compare('rows', info.rows, matrix.nRows)
  compare('cols', info.cols, matrix.nCols)
  compare('nnz', info.nnz, nnz(matrix))
  if (info.sha256 !== undefined) compare('sha256', info.sha256, await sha256(bytes))
}

/** The origin of a Laplacian, as manifold.json stores it. */
export interface ManifoldOrigin {
  /** text stored as name_id */
  nameId: string
  /** rows and columns of the embeddings that the manifold was built from */
  source: { rows: number; cols: number }
  /** stored under builder_config; build it with `manifoldConfig` */
  config?: Record<string, ConfigValue>
}

export interface WriteManifoldOptions extends ManifoldOrigin {
  laplacian: Csr
  /** ISO 8601; the present time unless given */
  timestamp?: string
}

/** The contents of manifold.parquet and manifold.json, for callers who write them together with other
 *  files. */
export const encodeManifold = async (
  options: WriteManifoldOptions,
): Promise<{
  metadata: ManifoldMetadata
  files: { name: string; content: Uint8Array | string }[]
}> => {
  checkOptions('encodeManifold', options, '{ laplacian, nameId, source }')
  const { laplacian, nameId, source, config = {}, timestamp = new Date().toISOString() } = options
  const bytes = encodeManifoldParquet(laplacian, { nameId })
  const metadata: ManifoldMetadata = {
    name_id: nameId,
    timestamp,
    n_rows: source.rows,
    n_cols: source.cols,
    builder_config: config,
    files: {
      laplacian: {
        filename: PARQUET_NAME,
        file_type: 'sparse',
        rows: laplacian.nRows,
        cols: laplacian.nCols,
        nnz: nnz(laplacian),
        size_bytes: bytes.length,
        sha256: await sha256(bytes),
      },
    },
  }
  const files = [
    { name: PARQUET_NAME, content: bytes },
    { name: JSON_NAME, content: encodeManifoldJson(metadata) },
  ]
  return { metadata, files }
}

/** Writes manifold.parquet and manifold.json into `folder` (a path or a store; created if missing). The write
 *  is atomic, so a full disk leaves the old files. If the process dies between the two renames,
 *  `readManifold` sees that the files do not match. */
export const writeManifold = async (
  folder: FolderPlace,
  options: WriteManifoldOptions,
): Promise<ManifoldMetadata> => {
  checkPlace('writeManifold', folder)
  const { metadata, files } = await encodeManifold(options)
  await storeAt(folder).write(files)
  return metadata
}
