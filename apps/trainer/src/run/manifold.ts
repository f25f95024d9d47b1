import {
  type BuiltManifold as Built,
  buildManifold,
  type Csr,
  type EmbeddingSource,
  type Manifold,
  type ManifoldOptions,
  type ManifoldOrigin,
  manifoldConfig,
  matrixSource,
  openEmbeddings,
  readManifold,
  textEmbeddings,
} from '@tau/graph'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'

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
  const { source, about } = await embeddingsOf(config, text)
  const { k, sigma, p, eps, metric, kernel, sparsify, normalization, reduce, center, seed } = config
  const { sample, clusters, tau } = config
  const { laplacian, info } = await buildManifold(source, {
    ...{ dim, k, sigma, p, eps, metric, kernel, sparsify, normalization, reduce, center, seed },
    ...{ sample, clusters, tau },
    ...work,
  })
  const origin = {
    nameId: 'domain',
    source: { rows: info.rows, cols: info.width },
    config: manifoldConfig(info),
  }
  return { laplacian, origin, about: `${about(info)} → ${graphText(info)}` }
}

const graphText = ({ dim, keptEnergy, edges, k, sigma, tau }: Built['info']): string =>
  `${dim} features with ${(100 * keptEnergy).toPrecision(3)} % of the energy, joined by ${edges} edges (k ${k}, σ ${sigma.toPrecision(3)}, τ ${tau.toPrecision(3)})`

async function embeddingsOf(
  {
    embeddings: path,
    embeddingsName: name,
    memory,
    width,
    passageTokens,
    weighting,
    seed,
  }: Config['manifold'],
  text: () => string,
): Promise<{ source: EmbeddingSource; about: (info: Built['info']) => string }> {
  if (path !== undefined) {
    const memoryBytes = memory * 2 ** 20
    const source = await openEmbeddings(
      userPath(path),
      name === undefined ? { memoryBytes } : { memoryBytes, name },
    )
    return {
      source,
      about: (info) => `${info.rows} embeddings of width ${info.width} from ${path}${chosen(info)}`,
    }
  }
  const embeddings = textEmbeddings(text(), { dim: width, passageTokens, weighting, seed })
  const { passages, vocabulary } = embeddings.info
  const of = `${passages} passages of ${passageTokens} words (${vocabulary} distinct)`
  return {
    source: matrixSource(embeddings, 'the text'),
    about: (info) => `${of} → embeddings of width ${info.width}${chosen(info)}`,
  }
}

const chosen = ({ sample, clusters, graphRows }: Built['info']): string =>
  clusters === null ? (sample < 1 ? `, ${graphRows} of them` : '') : `, in ${clusters} clusters`

/** What is known of where a manifold that was read came from. */
export function originOf({ laplacian, nameId, metadata }: Manifold): ManifoldOrigin {
  const source = { rows: metadata?.n_rows ?? laplacian.nRows, cols: metadata?.n_cols ?? laplacian.nCols }
  return { nameId, source, ...(metadata && { config: metadata.builder_config }) }
}
