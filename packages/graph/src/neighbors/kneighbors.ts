import type { Points } from '../dense/points.ts'
import { checkOptions } from '../errors.ts'
import { Pace, type PaceOptions } from '../watch/pace.ts'
import { type ALGORITHMS, type Choice, chooseAlgorithm } from './algorithm.ts'
import { deviceNearest } from './device/device-nearest.ts'
import type { NeighborMetric } from './distance.ts'
import { hnswNearest } from './hnsw/hnsw.ts'
import type { HnswParameters } from './hnsw/usearch.ts'
import type { NeighborLists } from './lists.ts'
import { plainNearest } from './plain.ts'
import { type DeviceOptions, runSearch } from './run.ts'
import { checkK, searchOf } from './search.ts'

export interface KNeighborsOptions extends PaceOptions, DeviceOptions {
  /** neighbours per row: at most the number of points, less one where they are their own queries */
  k: number
  /** 'euclidean' unless given. scikit-learn's cosine is 'cosine-unrectified'. */
  metric?: NeighborMetric
  /** Rows whose neighbours among the points are wanted. Unless given, every point's among the others. */
  queries?: Points
  /** exact: every pair is compared;  hnsw: approximate, by usearch, an optional peer (`npm install usearch`);  auto: what is expected to
   *  be faster, and exact where both are about the same. 'exact' unless given. */
  algorithm?: (typeof ALGORITHMS)[number]
  /** parameters of 'hnsw' */
  hnsw?: HnswParameters
}

/** Neighbour lists, and how they were found. */
export interface Neighbors extends NeighborLists, Choice {}

/** The k nearest points of every row, nearest first: points [N, F], queries [Q, F] → lists of k for N or Q rows. Exact unless asked
 *  otherwise: as f64 loops over all pairs choose them, to the bit, on any device and number of threads. Equal distances, also at the k-th
 *  place, go to the smaller index.
 *
 *  O(Q·N·F) time, by blocks of matrix products in f32 from which few candidates per row go on to f64; no N × N matrix at any time: the
 *  device holds 12·(N + Q)·F bytes, 8·(k + 9) per row, and up to 20 MiB of blocks. Points that are duplicates or nearer to each other than the
 *  products can tell (1e-3 of their distance from the mean) cost more: all of them are compared in f64.
 *
 *  A row of zeros has cosine 0 with every other. Throws GraphError for ragged rows, numbers that are not finite, k, metric or algorithm out of
 *  range; BackendError for a device that is not a cpu, and for 'hnsw' without usearch; the signal's reason when it is aborted. */
export const kneighbors = async (points: Points, options: KNeighborsOptions): Promise<Neighbors> => {
  const op = 'kneighbors'
  checkOptions(op, options, '{ k }')
  const { k, metric = 'euclidean', queries, algorithm = 'exact', hnsw = {}, device } = options
  const search = searchOf(op, points, queries, metric)
  checkK(op, k, search)
  const threads = device?.info.threads ?? hardwareThreads()
  const choice = chooseAlgorithm(op, algorithm, search, threads)
  const pace = new Pace(search.queries, options)
  const lists =
    choice.algorithm === 'hnsw'
      ? await hnswNearest(search, k, threads, hnsw, pace)
      : await runSearch(op, search, device, pace, {
          plain: () => plainNearest(search, k, pace),
          placed: (placed) => deviceNearest(placed, k, pace),
        })
  pace.finish()
  return { ...lists, ...choice }
}

const hardwareThreads = (): number => globalThis.navigator?.hardwareConcurrency ?? 1
