import {
  buildManifold,
  type EmbeddingSource,
  type ManifoldInfo,
  type ManifoldOptions,
  manifoldConfig,
  matrixSource,
  textEmbeddings,
} from '@tau/graph'
import type { Config } from '../config/schema.ts'
import type { BuiltManifold } from './manifold.ts'

/** Embeddings, and a few words for the log on what was made of them. */
export interface DescribedEmbeddings {
  readonly source: EmbeddingSource
  about(info: ManifoldInfo): string
}

export function embeddingsOfText(
  { width, passageTokens, weighting, seed }: Config['manifold'],
  text: string,
): DescribedEmbeddings {
  const embeddings = textEmbeddings(text, { dim: width, passageTokens, weighting, seed })
  const { passages, vocabulary } = embeddings.info
  const of = `${passages} passages of ${passageTokens} words (${vocabulary} distinct)`
  return {
    source: matrixSource(embeddings, 'the text'),
    about: (info) => `${of} → embeddings of width ${info.width}${chosenText(info)}`,
  }
}

/** Which of the embeddings the graph is made of, if not all. */
export const chosenText = ({ sample, clusters, graphRows }: ManifoldInfo): string =>
  clusters === null ? (sample < 1 ? `, ${graphRows} of them` : '') : `, in ${clusters} clusters`

/** The Laplacian of the manifold section, `dim` × `dim`, from embeddings. */
export async function laplacianOf(
  config: Config['manifold'],
  dim: number,
  { source, about }: DescribedEmbeddings,
  work: Pick<ManifoldOptions, 'device' | 'signal' | 'onProgress'> = {},
): Promise<BuiltManifold> {
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

const graphText = ({ dim, keptEnergy, edges, k, sigma, tau }: ManifoldInfo): string =>
  `${dim} features with ${(100 * keptEnergy).toPrecision(3)} % of the energy, joined by ${edges} edges (k ${k}, σ ${sigma.toPrecision(3)}, τ ${tau.toPrecision(3)})`
