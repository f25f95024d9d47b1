import {
  buildManifold,
  type Csr,
  type EmbeddingSource,
  type Manifold,
  type ManifoldInfo,
  type ManifoldOptions,
  type ManifoldOrigin,
  manifoldConfig,
  matrixSource,
  openEmbeddings,
  readManifold,
  textEmbeddings,
  type Weighting,
} from '@tau/graph'
import { type FilePlace, type FolderPlace, pathOf } from '@tau/tensor/files'

/** What a manifold is built for and watched by: not settings of it. */
type ManifoldWork = Pick<ManifoldOptions, 'device' | 'signal' | 'onProgress'>

/** Where a model's Laplacian comes from: it is read, or built from embeddings of a file or of the text. */
export interface ManifoldSettings extends Omit<ManifoldOptions, 'dim' | keyof ManifoldWork> {
  /** Manifold folder or .parquet file to use instead of building one. */
  readonly path?: FolderPlace | FilePlace | undefined
  /** Embeddings file to build it from, instead of the text. */
  readonly embeddings?: FilePlace | undefined
  /** Field, column or tensor of that file. */
  readonly embeddingsName?: string | undefined
  /** Width of the text's embeddings, in channels; default 128, or as much as the text gives. */
  readonly width?: number | undefined
  /** Words of a passage of the text that gets one embedding. */
  readonly passageTokens: number
  /** How words weigh in a passage. */
  readonly weighting: Weighting
  /** Memory for reading an embeddings file, in MiB; the file may be larger. */
  readonly memory: number
  /** Of random directions and choices. */
  readonly seed: number
}

export const defaultManifoldSettings = {
  passageTokens: 64,
  weighting: 'tf-idf',
  p: 2,
  eps: null,
  metric: 'cosine',
  kernel: 'rational',
  normalization: 'none',
  sparsify: false,
  reduce: 'random',
  center: false,
  sample: 1,
  clusters: null,
  tau: 'median',
  memory: 256,
  seed: 0,
} as const satisfies ManifoldSettings

/** A Laplacian and what is worth telling about where it comes from. */
export interface DescribedManifold {
  readonly laplacian: Csr
  /** One sentence for the log. */
  readonly about: string
  /** What manifold.json says of it. */
  readonly origin: ManifoldOrigin
}

/** The Laplacian that the settings ask for, `dim` × `dim`. `text` is called only when it is needed. */
export async function makeManifold(
  settings: ManifoldSettings,
  dim: number,
  text: () => string,
  work: ManifoldWork = {},
): Promise<DescribedManifold> {
  const { path } = settings
  if (path !== undefined) {
    const manifold = await readManifold(path, { size: dim })
    const about = `read from ${placeText(path)} ("${manifold.nameId}")`
    return { laplacian: manifold.laplacian, origin: originOf(manifold), about }
  }
  const { source, about } = await embeddingsOf(settings, text)
  const { k, sigma, p, eps, metric, kernel, sparsify, normalization, reduce, center, seed } = settings
  const { sample, clusters, tau } = settings
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

/** What is known of where a manifold that was read came from. */
export function originOf({ laplacian, nameId, metadata }: Manifold): ManifoldOrigin {
  const source = { rows: metadata?.n_rows ?? laplacian.nRows, cols: metadata?.n_cols ?? laplacian.nCols }
  return { nameId, source, ...(metadata && { config: metadata.builder_config }) }
}

const placeText = (place: FolderPlace | FilePlace): string =>
  typeof place === 'object' && 'path' in place ? place.path : pathOf(place)

/** Embeddings, and a few words for the log on what was made of them. */
interface DescribedEmbeddings {
  readonly source: EmbeddingSource
  about(info: ManifoldInfo): string
}

async function embeddingsOf(settings: ManifoldSettings, text: () => string): Promise<DescribedEmbeddings> {
  const { embeddings: file, embeddingsName: name, memory } = settings
  if (file === undefined) return embeddingsOfText(settings, text())
  const memoryBytes = memory * 2 ** 20
  const source = await openEmbeddings(file, name === undefined ? { memoryBytes } : { memoryBytes, name })
  return {
    source,
    about: (info) => `${info.rows} embeddings of width ${info.width} from ${pathOf(file)}${chosenText(info)}`,
  }
}

function embeddingsOfText(
  { width, passageTokens, weighting, seed }: ManifoldSettings,
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
const chosenText = ({ sample, clusters, graphRows }: ManifoldInfo): string =>
  clusters === null ? (sample < 1 ? `, ${graphRows} of them` : '') : `, in ${clusters} clusters`

const graphText = ({ dim, keptEnergy, edges, k, sigma, tau }: ManifoldInfo): string =>
  `${dim} features with ${(100 * keptEnergy).toPrecision(3)} % of the energy, joined by ${edges} edges (k ${k}, σ ${sigma.toPrecision(3)}, τ ${tau.toPrecision(3)})`
