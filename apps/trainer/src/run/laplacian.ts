import { builderConfig, type DenseMatrix, domainLaplacian, textEmbeddings } from '@tau/graph'
import type { Config } from '../config/schema.ts'
import type { BuiltManifold } from './manifold.ts'

/** Embeddings, and a few words on them for the log. */
export interface DescribedEmbeddings {
  readonly embeddings: DenseMatrix
  readonly about: string
}

export function embeddingsOfText(
  { width, passageTokens, weighting, seed }: Config['manifold'],
  text: string,
): DescribedEmbeddings {
  const embeddings = textEmbeddings(text, { dim: width, passageTokens, weighting, seed })
  const { passages, vocabulary } = embeddings.info
  return {
    embeddings,
    about: `${passages} passages of ${passageTokens} words (${vocabulary} distinct) → embeddings of width ${embeddings.cols}`,
  }
}

/** The Laplacian of the manifold section, `dim` × `dim`, from embeddings. */
export function laplacianOf(
  config: Config['manifold'],
  dim: number,
  { embeddings, about }: DescribedEmbeddings,
): BuiltManifold {
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
