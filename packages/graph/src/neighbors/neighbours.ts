import type { Rows } from '../dense/points.ts'
import { GraphError } from '../errors.ts'
import { Pace } from '../watch/pace.ts'
import type { NeighbourLists } from './bounded.ts'
import type { NeighbourMetric } from './distance.ts'
import { hnswNearest } from './hnsw.ts'
import { type KNeighborsOptions, nearestOf } from './kneighbors.ts'
import { fitsDevice } from './run.ts'
import { checkK, type Search, searchOf } from './search.ts'
import { type HnswParameters, whyNoUsearch } from './usearch.ts'

export interface NeighboursOptions extends KNeighborsOptions {
  /** 'auto' unless given */
  method?: 'auto' | 'exact' | 'hnsw'
  /** of the method 'hnsw' */
  hnsw?: HnswParameters
}

export interface Neighbours {
  lists: NeighbourLists
  /** what was done: 'hnsw' is approximate */
  method: 'exact' | 'hnsw'
  /** and why */
  reason: string
}

/** Pairs per point that one thread computes in the time that HNSW takes for the point. Seconds on two threads, word vectors of width 100:
 *  cosine, exact and HNSW: 20 000 points 0.5 and 1.8, 100 000 8.9 and 20.9, 340 000 94 and 108. Exact search grows as n^1.93, HNSW as n^1.34:
 *  both meet at 420 000. By Euclidean distances, 100 000: 8.9 and 26.6, so at 640 000, by the same exponents. Wider vectors change the two
 *  alike: 20 000 normal ones of width 384 1.35 and 14. */
const EXACT_PAIRS: Readonly<Record<NeighbourMetric, number>> = {
  cosine: 105_000,
  'cosine-unrectified': 105_000,
  euclidean: 160_000,
  'inner-product': 160_000,
}

/** Nearest neighbours, exact (`kneighbors`) or approximate by HNSW, which is an optional peer: `npm install usearch`. 'auto' takes what is
 *  expected to be faster, exact where both are about the same, and says so. Errors are those of `kneighbors`; BackendError for 'hnsw'
 *  without usearch. */
export const neighbours = async (points: Rows, options: NeighboursOptions): Promise<Neighbours> => {
  const { k, method = 'auto', metric = 'euclidean', device, hnsw = {} } = options
  if (!['auto', 'exact', 'hnsw'].includes(method)) {
    throw new GraphError(`neighbours: method must be 'auto', 'exact' or 'hnsw', got '${method}'`)
  }
  const search = searchOf('neighbours', points, options.queries, metric)
  checkK('neighbours', k, search)
  const threads = device?.info.threads ?? hardwareThreads()
  const choice = method === 'auto' ? choose(search, threads) : { method, reason: 'as asked for' }
  if (choice.method === 'exact') return { lists: await nearestOf(search, options), ...choice }
  const pace = new Pace(search.queries, options)
  const lists = await hnswNearest(search, k, threads, hnsw, pace)
  pace.finish()
  return { lists, ...choice }
}

/** What 'auto' does. */
export const choose = (
  search: Search,
  threads: number,
  whyNoHnsw: () => string | undefined = whyNoUsearch,
): { method: 'exact' | 'hnsw'; reason: string } => {
  const { queries, count, self, all } = search
  const pairs = self ? count / 2 : queries
  const most = EXACT_PAIRS[all.metric] * threads
  const load = `${pairs} pairs per point, where up to ${most} on ${threads} threads are faster than HNSW`
  const fits = fitsDevice(search)
  if (pairs <= most && fits) return { method: 'exact', reason: load }
  const reason = fits ? load : 'the points do not fit in WebAssembly memory'
  if (all.metric === 'inner-product') {
    return { method: 'exact', reason: `${reason}; but the recall of HNSW is not known for inner products` }
  }
  const missing = whyNoHnsw()
  return missing === undefined
    ? { method: 'hnsw', reason }
    : { method: 'exact', reason: `${reason}; but ${missing}` }
}

const hardwareThreads = (): number => globalThis.navigator?.hardwareConcurrency ?? 1
