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

/** manifold.json is a page of text; more is not one. */
const MAX_JSON_BYTES = 2 ** 24

export interface Manifold {
  laplacian: Csr
  nameId: string
  /** undefined where no manifold.json lies beside the parquet file */
  metadata: ManifoldMetadata | undefined
}

/** Read a manifold from a folder, by its path or as a store (manifold.parquet and, if present, manifold.json), or from one parquet file: a
 *  path that ends in `.parquet`, or a file of a store.
 *  `size`: the number of rows that L must have; `check: false` skips the look at symmetry and definiteness (for inspection).
 *  Throws FormatError for files that lie, GraphError for a matrix that is no Laplacian of that size, Error for files that cannot be
 *  read. */
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

/** What manifold.json says of this file must be so. ArrowSpace's own list names other files, and then there is nothing to compare. */
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
        `manifold: ${filename} must be what ${JSON_NAME} says, got ${name} ${is} instead of ${says}; restore or rebuild both`,
      )
    }
  }
  compare('size_bytes', info.size_bytes, bytes.length)
  compare('rows', info.rows, matrix.nRows)
  compare('cols', info.cols, matrix.nCols)
  compare('nnz', info.nnz, nnz(matrix))
  if (info.sha256 !== undefined) compare('sha256', info.sha256, await sha256(bytes))
}

/** Where a Laplacian comes from, as manifold.json says it. */
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
  /** ISO 8601, now unless given */
  timestamp?: string
}

/** The contents of manifold.parquet and manifold.json, for whoever writes them together with other files. */
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

/** Write manifold.parquet and manifold.json into `folder` (a path or a store; created if missing), atomically: a full disk leaves what
 *  was there. If the process dies between the two renames, `readManifold` sees that the files do not match. */
export const writeManifold = async (
  folder: FolderPlace,
  options: WriteManifoldOptions,
): Promise<ManifoldMetadata> => {
  checkPlace('writeManifold', folder)
  const { metadata, files } = await encodeManifold(options)
  await storeAt(folder).write(files)
  return metadata
}
