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

export interface KneighborsOptions extends PaceOptions, DeviceOptions {
  /** neighbours per row; at most the number of points, or one less without `queries` */
  k: number
  /** 'euclidean' unless given. scikit-learn's cosine is 'cosine-unrectified'. */
  metric?: NeighborMetric
  /** rows whose neighbours among the points are searched; without it, the neighbours of every point among the
   *  other points */
  queries?: Points
  /** exact: compare every pair;  hnsw: approximate, by usearch, an optional peer (`npm install usearch`);
   *  auto: the faster one by estimate, exact if both are about equal. 'exact' unless given. */
  algorithm?: (typeof ALGORITHMS)[number]
  /** parameters of 'hnsw' */
  hnsw?: HnswParameters
}

/** Neighbour lists, with the algorithm that found them and the reason for it. */
export interface Neighbors extends NeighborLists, Choice {}

/** The k nearest points of every row, nearest first: points [N, F], queries [Q, F] → lists of k entries for N
 *  or Q rows. Equal distances go to the smaller index, also at the k-th place.
 *  Unless `algorithm` says otherwise the result is exact: it has the bits of f64 loops over all pairs, on any
 *  device and number of threads.
 *
 *  Time is O(Q·N·F). Blocks of matrix products in f32 select a few candidates per row, and f64 decides among
 *  these. There is never an N × N matrix: the device holds 12·(N + Q)·F bytes, 8·(k + 9) per row, and up to
 *  20 MiB of blocks. Duplicates cost more, and so do points that are too near to each other for the products
 *  (1e-3 of their distance from the mean). All of these are compared in f64.
 *
 *  A row of zeros has cosine 0 with every other row. Throws GraphError for ragged rows, numbers that are not
 *  finite, and k, metric or algorithm out of range. Throws BackendError for a device that is not a cpu, and
 *  for 'hnsw' without usearch. Throws the signal's reason when it is aborted. */
export const kneighbors = async (points: Points, options: KneighborsOptions): Promise<Neighbors> => {
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
