import {
  builderConfig,
  type Csr,
  type DenseMatrix,
  domainLaplacian,
  type Manifold,
  type ManifoldOrigin,
  readEmbeddings,
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
): Promise<BuiltManifold> {
  if (config.path !== undefined) {
    const path = userPath(config.path)
    const manifold = await readManifold(path, { size: dim })
    const about = `read from ${path} ("${manifold.nameId}")`
    return { laplacian: manifold.laplacian, origin: originOf(manifold), about }
  }
  const { embeddings, about } = await embeddingsOf(config, text)
  const { k, sigma, p, eps, metric, kernel, sparsify, normalization, reduce, center, seed } = config
  const { laplacian, info } = domainLaplacian(embeddings, {
    dim,
    k,
    sigma,
    p,
    eps,
    metric,
    kernel,
    sparsify,
    normalization,
    reduce,
    center,
    seed,
  })
  const graph = `${dim} features joined by ${info.edges} edges (k ${info.k}, σ ${info.sigma.toPrecision(3)})`
  const origin = {
    nameId: 'domain',
    source: { rows: info.rows, cols: info.width },
    config: builderConfig(info),
  }
  return { laplacian, origin, about: `${about} → ${graph}` }
}

async function embeddingsOf(
  { embeddings: path, embeddingsName, width, passageTokens, weighting, seed }: Config['manifold'],
  text: () => string,
): Promise<{ embeddings: DenseMatrix; about: string }> {
  if (path !== undefined) {
    const embeddings = await readEmbeddings(
      userPath(path),
      embeddingsName === undefined ? {} : { name: embeddingsName },
    )
    return { embeddings, about: `${embeddings.rows} embeddings of width ${embeddings.cols} from ${path}` }
  }
  const embeddings = textEmbeddings(text(), { dim: width, passageTokens, weighting, seed })
  const { passages, vocabulary } = embeddings.info
  return {
    embeddings,
    about: `${passages} passages of ${passageTokens} words (${vocabulary} distinct) → embeddings of width ${embeddings.cols}`,
  }
}

/** What is known of where a manifold that was read came from. */
export function originOf({ laplacian, nameId, metadata }: Manifold): ManifoldOrigin {
  const source = { rows: metadata?.n_rows ?? laplacian.nRows, cols: metadata?.n_cols ?? laplacian.nCols }
  return { nameId, source, ...(metadata && { config: metadata.builder_config }) }
}
