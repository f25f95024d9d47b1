import {
  type Csr,
  type Manifold,
  type ManifoldOptions,
  type ManifoldOrigin,
  openEmbeddings,
  readManifold,
} from '@tau/graph'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'
import { chosenText, type DescribedEmbeddings, embeddingsOfText, laplacianOf } from './laplacian.ts'

/** A Laplacian and what is worth telling about where it comes from. */
export interface BuiltManifold {
  readonly laplacian: Csr
  /** One sentence for the log. */
  readonly about: string
  /** What manifold.json says of it. */
  readonly origin: ManifoldOrigin
}

/** The Laplacian of the manifold section, `dim` × `dim`: read from `path`, or built from an embeddings file or from the text.
 *  `text` is called only when it is needed. */
export async function makeManifold(
  config: Config['manifold'],
  dim: number,
  text: () => string,
  work: Pick<ManifoldOptions, 'device' | 'signal' | 'onProgress'> = {},
): Promise<BuiltManifold> {
  if (config.path !== undefined) {
    const path = userPath(config.path)
    const manifold = await readManifold(path, { size: dim })
    const about = `read from ${path} ("${manifold.nameId}")`
    return { laplacian: manifold.laplacian, origin: originOf(manifold), about }
  }
  return laplacianOf(config, dim, await embeddingsOf(config, text), work)
}

async function embeddingsOf(config: Config['manifold'], text: () => string): Promise<DescribedEmbeddings> {
  const { embeddings: path, embeddingsName: name, memory } = config
  if (path === undefined) return embeddingsOfText(config, text())
  const memoryBytes = memory * 2 ** 20
  const source = await openEmbeddings(
    userPath(path),
    name === undefined ? { memoryBytes } : { memoryBytes, name },
  )
  return {
    source,
    about: (info) => `${info.rows} embeddings of width ${info.width} from ${path}${chosenText(info)}`,
  }
}

/** What is known of where a manifold that was read came from. */
export function originOf({ laplacian, nameId, metadata }: Manifold): ManifoldOrigin {
  const source = { rows: metadata?.n_rows ?? laplacian.nRows, cols: metadata?.n_cols ?? laplacian.nCols }
  return { nameId, source, ...(metadata && { config: metadata.builder_config }) }
}
