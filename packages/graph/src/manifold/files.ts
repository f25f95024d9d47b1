import { type Csr, nnz } from '../csr.ts'
import { FormatError } from '../errors.ts'
import { decodeUtf8, isFolder, readFileBytes, writeFilesAtomic } from '../files.ts'
import { nodeFs, nodePath } from '../node.ts'
import { assertLaplacian } from '../validate.ts'
import { type ConfigValue, encodeManifoldJson, type ManifoldMetadata, parseManifoldJson } from './metadata.ts'
import { encodeManifoldParquet, parseManifoldParquet } from './parquet.ts'
import { JSON_NAME, PARQUET_NAME } from './schema.ts'

export interface Manifold {
  laplacian: Csr
  nameId: string
  /** undefined where no manifold.json lies beside the parquet file */
  metadata: ManifoldMetadata | undefined
}

/** Read a manifold from a folder (manifold.parquet and, if present, manifold.json) or from the path of a parquet file.
 *  `size`: the number of rows that L must have; `check: false` skips the look at symmetry and definiteness (for inspection).
 *  Throws FormatError for files that lie, GraphError for a matrix that is no Laplacian of that size. Node only. */
export const readManifold = async (
  path: string,
  { size, check = true }: { size?: number; check?: boolean } = {},
): Promise<Manifold> => {
  const { join, dirname, basename } = await nodePath()
  const parquetPath = (await isFolder(path)) ? join(path, PARQUET_NAME) : path
  const bytes = await readFileBytes('manifold', parquetPath)
  const { matrix, nameId } = await parseManifoldParquet(bytes)
  const metadata = await readMetadata(join(dirname(parquetPath), JSON_NAME))
  if (metadata) await checkAgainst(metadata, basename(parquetPath), bytes, matrix)
  if (check) assertLaplacian(`manifold ${parquetPath}`, matrix, { size, rowSums: 'any' })
  return { laplacian: matrix, nameId, metadata }
}

const readMetadata = async (path: string): Promise<ManifoldMetadata | undefined> => {
  const { access } = await nodeFs()
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (!exists) return undefined
  return parseManifoldJson(decodeUtf8('manifold.json', await readFileBytes('manifold', path)))
}

/** What manifold.json says of this file must be so. ArrowSpace's own list names other files, and then there is nothing to compare. */
const checkAgainst = async (
  metadata: ManifoldMetadata,
  filename: string,
  bytes: Uint8Array,
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

export interface WriteManifoldOptions {
  laplacian: Csr
  /** text stored as name_id */
  nameId: string
  /** rows and columns of the embeddings that the manifold was built from */
  source: { rows: number; cols: number }
  /** stored under builder_config; build it with `builderConfig` */
  config?: Record<string, ConfigValue>
  /** ISO 8601, now unless given */
  timestamp?: string
}

/** Write manifold.parquet and manifold.json into `folder` (created if missing), atomically: a full disk leaves what was
 *  there. If the process dies between the two renames, `readManifold` sees that the files do not match. Node only. */
export const writeManifold = async (
  folder: string,
  { laplacian, nameId, source, config = {}, timestamp = new Date().toISOString() }: WriteManifoldOptions,
): Promise<ManifoldMetadata> => {
  const { join } = await nodePath()
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
  await writeFilesAtomic([
    { path: join(folder, PARQUET_NAME), bytes },
    { path: join(folder, JSON_NAME), bytes: new TextEncoder().encode(encodeManifoldJson(metadata)) },
  ])
  return metadata
}

const sha256 = async (bytes: Uint8Array): Promise<string> => {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', Uint8Array.from(bytes))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
