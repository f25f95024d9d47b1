import { allFinite, checkDenseShape } from '../dense/matrix.ts'
import type { BlockBuffer, EmbeddingSource, RowBlock } from '../embeddings/source.ts'
import { GraphError } from '../errors.ts'
import { Pace } from '../watch/pace.ts'
import { ShareSample } from './item-sample.ts'

/** The progress of building a manifold. */
export interface ManifoldProgress {
  /** the current pass: 'seeds' and 'centres' (of k-means), 'k-means 1', …, 'products' */
  pass: string
  /** share of this pass that is done, 0 to 1 */
  fraction: number
  /** rows, or centres, of this pass that are done */
  rows: number
}

export interface PassOptions {
  /** share of the rows that is used, at random; 1 unless given */
  sample?: number
  seed: number
  /** memory for blocks */
  buffer?: BlockBuffer
  /** ends a pass between two blocks: the promise is rejected with the signal's reason */
  signal?: AbortSignal
  /** called about every 50 ms, and at the end of every pass */
  onProgress?: (progress: ManifoldProgress) => void
}

/** Makes one pass over the rows and calls `use` with blocks of the sampled rows, all of one width. A block is
 *  valid during the call. `use` must check that its elements are finite. Returns the number of rows of the
 *  source. Throws GraphError with row and width for unequal widths, and FormatError for a damaged file. */
export const passOver = async (
  source: EmbeddingSource,
  pass: string,
  { sample = 1, seed, buffer, signal, onProgress }: PassOptions,
  use: (block: RowBlock) => void,
): Promise<number> => {
  const report = ({ fraction, rows }: { fraction: number; rows: number }) =>
    onProgress?.({ pass, fraction, rows })
  const pace = new Pace(source.rows ?? 0, { signal, onProgress: report })
  const share = sample < 1 ? new ShareSample(sample, seed) : undefined
  let [rows, cols] = [0, 0]
  for await (const block of source.blocks(buffer)) {
    checkDenseShape('buildManifold', block)
    if (cols === 0) cols = block.cols
    if (block.cols !== cols) {
      throw new GraphError(
        `manifold of ${source.name}: rows must have the same width, got ${cols} in row 0 and ${block.cols} in row ${block.first}; pad or remove that row`,
      )
    }
    if (share) checkFinite(source, block) // also the rows that the sample drops
    const kept = share ? share.keep(block) : block
    if (kept.rows > 0) use(kept)
    rows = block.first + block.rows
    await pace.step(block.share, rows)
  }
  report({ fraction: 1, rows })
  return rows
}

/** Throws GraphError if an element is not finite. */
export const checkFinite = ({ name }: EmbeddingSource, { data, cols, first }: RowBlock): void => {
  if (allFinite(data)) return
  const bad = data.findIndex((value) => !Number.isFinite(value))
  throw new GraphError(
    `manifold of ${name}: every element must be finite, got ${data[bad]} at row ${first + Math.floor(bad / cols)}, column ${bad % cols}; remove or repair that row`,
  )
}
