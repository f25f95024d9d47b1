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

/** Options of building a manifold that do not change the manifold: the device, the signal and the progress
 *  callback. */
type ManifoldWork = Pick<ManifoldOptions, 'device' | 'signal' | 'onProgress'>

/** Where the Laplacian of a model comes from. It is read from `path`, built from the file `embeddings`, or
 *  built from embeddings of the text. */
export interface ManifoldSettings extends Omit<ManifoldOptions, 'dim' | keyof ManifoldWork> {
  /** Manifold folder or .parquet file to read. Then nothing is built. */
  readonly path?: FolderPlace | FilePlace | undefined
  /** Embeddings file to build the manifold from, instead of the text. */
  readonly embeddings?: FilePlace | undefined
  /** Field, column or tensor of the embeddings file. */
  readonly embeddingsName?: string | undefined
  /** Width of the embeddings of the text, in channels. Default: 128, or less if the text does not give as
   *  much. */
  readonly width?: number | undefined
  /** Number of words in a passage. Each passage of the text gets one embedding. */
  readonly passageTokens: number
  /** How the words of a passage are weighted. */
  readonly weighting: Weighting
  /** Memory for reading an embeddings file, in MiB. The file may be larger. */
  readonly memory: number
  /** Seed of the random projections and samples. */
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

/** A Laplacian, and a description of where it comes from. */
export interface DescribedManifold {
  readonly laplacian: Csr
  /** One sentence for the log. */
  readonly about: string
  /** Origin for manifold.json. */
  readonly origin: ManifoldOrigin
}

/** Reads or builds the Laplacian [dim, dim] of the settings. `text` is called only if the text is needed. */
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

/** The origin of a manifold that was read, as far as it is known. */
export function originOf({ laplacian, nameId, metadata }: Manifold): ManifoldOrigin {
  const source = { rows: metadata?.n_rows ?? laplacian.nRows, cols: metadata?.n_cols ?? laplacian.nCols }
  return { nameId, source, ...(metadata && { config: metadata.builder_config }) }
}

const placeText = (place: FolderPlace | FilePlace): string =>
  typeof place === 'object' && 'path' in place ? place.path : pathOf(place)

/** Embeddings, and their description for the log. */
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

/** Says which embeddings the graph was built from, if not from all of them. */
const chosenText = ({ sample, clusters, graphRows }: ManifoldInfo): string =>
  clusters === null ? (sample < 1 ? `, ${graphRows} of them` : '') : `, in ${clusters} clusters`

const graphText = ({ dim, keptEnergy, edges, k, sigma, tau }: ManifoldInfo): string =>
  `${dim} features with ${(100 * keptEnergy).toPrecision(3)} % of the energy, joined by ${edges} edges (k ${k}, σ ${sigma.toPrecision(3)}, τ ${tau.toPrecision(3)})`
