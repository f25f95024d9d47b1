import type { Rows } from '../dense/points.ts'
import { Pace, type PaceOptions } from '../watch/pace.ts'
import type { NeighbourLists } from './bounded.ts'
import { deviceNearest } from './device-nearest.ts'
import type { NeighbourMetric } from './distance.ts'
import { plainNearest } from './plain.ts'
import { type DeviceOptions, runSearch } from './run.ts'
import { checkK, type Search, searchOf } from './search.ts'

export interface KNeighborsOptions extends PaceOptions, DeviceOptions {
  /** neighbours per row: at most the number of points, less one where they are their own queries */
  k: number
  /** 'euclidean' unless given. scikit-learn's cosine is 'cosine-unrectified'. */
  metric?: NeighbourMetric
  /** Rows whose neighbours among the points are wanted. Unless given, every point's among the others. */
  queries?: Rows
}

/** The k nearest points of every row, exactly: as f64 loops over all pairs choose them, to the bit, on any device and number of threads.
 *  Equal distances, also at the k-th place, go to the smaller index. points [N, F], queries [Q, F] → lists of k for N or Q rows.
 *
 *  O(Q·N·F) time, by blocks of matrix products in f32 from which few candidates per row go on to f64; no N × N matrix at any time: the
 *  device holds 12·(N + Q)·F bytes, 8·(k + 9) per row, and up to 20 MiB of blocks. Points that are duplicates or nearer to each other than the
 *  products can tell (1e-3 of their distance from the mean) cost more: all of them are compared in f64.
 *
 *  A row of zeros has cosine 0 with every other. Throws GraphError for ragged rows, numbers that are not finite, k or metric out of range;
 *  BackendError for a device that is not a cpu; the signal's reason when it is aborted. */
export const kneighbors = async (points: Rows, options: KNeighborsOptions): Promise<NeighbourLists> => {
  const search = searchOf('kneighbors', points, options.queries, options.metric ?? 'euclidean')
  checkK('kneighbors', options.k, search)
  return nearestOf(search, options)
}

/** {@link kneighbors} of a search that was checked. */
export const nearestOf = async (search: Search, options: KNeighborsOptions): Promise<NeighbourLists> => {
  const { k, device } = options
  const pace = new Pace(search.queries, options)
  const lists = await runSearch('kneighbors', search, device, pace, {
    plain: () => plainNearest(search, k, pace),
    placed: (placed) => deviceNearest(placed, k, pace),
  })
  pace.finish()
  return lists
}
