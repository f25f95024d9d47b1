import { cpu, type Device } from '@tau/tensor'
import { checkInteger } from '../dense/matrix.ts'
import { multiply } from '../dense/multiply.ts'
import type { Points } from '../dense/points.ts'
import { type EmbeddingSource, matrixSource } from '../embeddings/source.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { deviceProductBytes } from '../gram/device-products.ts'
import { type Gram, GramSums } from '../gram/gram.ts'
import type { Reduction } from '../gram/reduction.ts'
import { cpuEngine } from '../kernels/cpu-engine.ts'
import { assertLaplacian } from '../laplacian/check.ts'
import type { Csr } from '../sparse/csr.ts'
import { rayleighEnergies, tauFromEnergies } from '../taumode/taumode.ts'
import { clusterItems } from './cluster-items.ts'
import { type FeatureGraphInfo, type FeatureGraphOptions, laplacianOfGram } from './feature-graph.ts'
import { Reservoir } from './item-sample.ts'
import { type ManifoldProgress, type PassOptions, passOver } from './passes.ts'

/** The statistic of the embeddings' energies that becomes τ. */
export type TauCalibration = 'median' | 'mean'

export interface ManifoldOptions extends FeatureGraphOptions {
  /** share of the rows that is used, chosen by the seed as ArrowSpace's sampler does; above 0 and at most 1;
   *  1 unless given */
  sample?: number
  /** number of k-means clusters whose centres replace the rows; null (use the rows themselves) unless
   *  given */
  clusters?: number | null
  /** 'median' unless given */
  tau?: TauCalibration
  /** A cpu device for the products. It uses the device's BLAS if there is one. Unless given, small products
   *  run in plain f64 JavaScript. For others a device with all threads is opened and closed. */
  device?: Device
  signal?: AbortSignal
  onProgress?: (progress: ManifoldProgress) => void
}

export interface ManifoldInfo extends FeatureGraphInfo {
  sample: number
  clusters: number | null
  /** rows from which the products were computed: the sampled rows, or the centres */
  graphRows: number
  /** τ for λ = E / (E + τ): the median or mean energy of at most 1024 rows. The seed chooses these rows; they
   *  are reduced like the features */
  tau: number
  tauPolicy: TauCalibration
}

/** Rows whose energies give τ. In 19 of 20 cases their median lies within 3 % of ranks of the median of all
 *  rows. */
const TAU_ROWS = 1024
/** Products that f64 loops in JavaScript compute in a tenth of a second. */
const SMALL = 2.5e8

/** Builds a manifold from embeddings [N, F] in memory (`Points`) or in a file of any size (`openEmbeddings`):
 *  the Laplacian L [D, D] over D features, symmetric and positive semidefinite. It makes one pass over the
 *  rows (more with `clusters`), in bounded memory. The result does not depend on the number of threads or the
 *  memory.
 *
 *  Products of the features, XᵀX, are summed block by block. Everything else uses only these products: the
 *  reduction to D features, their nearest neighbours, affinities, union and L = D − W. Rows of zeros add
 *  nothing to a product, and copies count as often as they occur. At the end the graph is checked (symmetry,
 *  row sums, definiteness), and τ is calibrated.
 *  Throws GraphError, naming row, column and value, for rows that are not finite or of unequal width. Throws
 *  GraphError, naming the setting, for settings out of range, fewer than two rows, a width whose products do
 *  not fit in the source's memory, and graphs without information. Throws FormatError for a damaged file, and
 *  the signal's reason when it is aborted. */
export const buildManifold = async (
  embeddings: EmbeddingSource | Points,
  options: ManifoldOptions,
): Promise<{ laplacian: Csr; info: ManifoldInfo }> => {
  checkOptions('buildManifold', options, '{ dim }')
  const source = sourceOf(embeddings)
  const { sample = 1, clusters = null, tau = 'median', center = false, seed = 0 } = options
  if (!(sample > 0 && sample <= 1))
    throw new GraphError(`buildManifold: sample must be a share above 0 and at most 1, got ${sample}`)
  if (clusters !== null)
    checkInteger('buildManifold', 'clusters', clusters, 2, 2 ** 20, 'leave it out to use the rows themselves')
  if (tau !== 'median' && tau !== 'mean')
    throw new GraphError(`buildManifold: tau must be 'median' or 'mean', got '${tau satisfies never}'`)
  const { signal, onProgress } = options
  const pass: PassOptions = { sample, seed, signal, onProgress }

  return withDevice(source, options.device, async (device) => {
    const centres = clusters === null ? undefined : await clusterItems(source, clusters, device, pass)
    const reservoir = new Reservoir(TAU_ROWS, seed)
    const { gram, rows } = centres
      ? await gramOfSource(matrixSource(centres, 'centres'), device, { seed, signal }, center, reservoir)
      : await gramOfSource(source, device, pass, center, reservoir)
    const { laplacian, info, reduction } = laplacianOfGram(gram, options)
    assertLaplacian('buildManifold', laplacian, { size: info.dim, rowSums: 'any' })
    const energies = rayleighEnergies(reducedRows(reservoir, gram, reduction, center), laplacian)
    return {
      laplacian,
      info: {
        ...info,
        rows: centres?.items ?? rows,
        ...{ sample, clusters, graphRows: gram.rows },
        tau: tauFromEnergies(energies, { name: tau }),
        tauPolicy: tau,
      },
    }
  })
}

const sourceOf = (embeddings: EmbeddingSource | Points): EmbeddingSource =>
  typeof embeddings === 'object' && embeddings !== null && 'blocks' in embeddings
    ? embeddings
    : matrixSource(embeddings, 'embeddings')

const gramOfSource = async (
  source: EmbeddingSource,
  device: Device | undefined,
  options: PassOptions,
  center: boolean,
  reservoir: Reservoir,
): Promise<{ gram: Gram; rows: number }> => {
  const started = source.cols === undefined ? undefined : startSums(source, device, source.cols)
  const buffer = started && ((bytes: number) => started.buffer(bytes))
  let sums = started
  try {
    const rows = await passOver(source, 'products', { ...options, buffer }, (block) => {
      sums ??= startSums(source, device, block.cols)
      reservoir.add(block)
      sums.add(block)
    })
    if (!sums || sums.rows < 2) {
      throw new GraphError(
        `buildManifold: a graph of features needs at least 2 rows, got ${sums?.rows ?? 0} of ${source.name}; add rows or raise sample`,
      )
    }
    return { gram: sums.result({ center }), rows }
  } finally {
    sums?.[Symbol.dispose]()
  }
}

const startSums = (
  { name, memoryBytes }: EmbeddingSource,
  device: Device | undefined,
  cols: number,
): GramSums => {
  const needed = deviceProductBytes(cols) + 16 * cols * cols
  if (needed > memoryBytes) {
    throw new GraphError(
      `buildManifold: the memory must hold the products of ${cols} features, ${needed} bytes, got ${memoryBytes}; raise memoryBytes`,
    )
  }
  return new GramSums(`manifold of ${name}`, cols, device && cpuEngine('buildManifold', device))
}

/** Runs with the given device, or with its own device if there is much to do, or without a device. */
const withDevice = async <T>(
  source: EmbeddingSource,
  device: Device | undefined,
  run: (device: Device | undefined) => Promise<T>,
): Promise<T> => {
  const { rows = Number.POSITIVE_INFINITY, cols = Number.POSITIVE_INFINITY } = source
  if (device || rows * cols * cols < SMALL) return run(device)
  const own = await cpu()
  try {
    return await run(own)
  } finally {
    await own.close()
  }
}

/** The rows of the reservoir, reduced like the features, [·, D]. */
const reducedRows = (reservoir: Reservoir, gram: Gram, { basis }: Reduction, center: boolean) => {
  const sampled = reservoir.rows(gram.cols)
  const rows = center
    ? { ...sampled, data: sampled.data.map((v, n) => v - gram.mean[n % gram.cols] / gram.scale) }
    : sampled
  return basis ? multiply(rows, basis) : rows
}
