import { GraphError } from '../errors.ts'
import type { NeighborMetric } from './distance.ts'
import { whyNoUsearch } from './hnsw/usearch.ts'
import { fitsDevice } from './run.ts'
import type { Search } from './search.ts'

/** The algorithm of a search and the reason for it. 'hnsw' is approximate. */
export interface Choice {
  algorithm: 'exact' | 'hnsw'
  reason: string
}

export const ALGORITHMS = ['exact', 'hnsw', 'auto'] as const

/** Pairs per point that one thread compares in the time that HNSW takes for a point.
 *  Measured in seconds on two threads with word vectors of width 100 by cosine, exact and HNSW: 20 000 points
 *  0.5 and 1.8, 100 000 8.9 and 20.9, 340 000 94 and 108. Exact search grows as n^1.93, HNSW as n^1.34, so
 *  they meet at 420 000 points.
 *  By Euclidean distance 100 000 points take 8.9 and 26.6, so by the same exponents they meet at 640 000.
 *  Wider vectors slow both down: 20 000 normal vectors of width 384 take 1.35 and 14. */
const EXACT_PAIRS: Readonly<Record<NeighborMetric, number>> = {
  cosine: 105_000,
  'cosine-unrectified': 105_000,
  euclidean: 160_000,
  'inner-product': 160_000,
}

/** The algorithm that runs for an option `algorithm`. Throws GraphError for an unknown one. */
export const chooseAlgorithm = (
  op: string,
  algorithm: (typeof ALGORITHMS)[number],
  search: Search,
  threads: number,
): Choice => {
  if (!ALGORITHMS.includes(algorithm)) {
    throw new GraphError(`${op}: algorithm must be one of ${ALGORITHMS.join(', ')}, got '${algorithm}'`)
  }
  return algorithm === 'auto' ? fastest(search, threads) : { algorithm, reason: 'as requested' }
}

/** The algorithm for 'auto'. */
export const fastest = (
  search: Search,
  threads: number,
  whyNoHnsw: () => string | undefined = whyNoUsearch,
): Choice => {
  const { queries, count, self, all } = search
  const pairs = self ? count / 2 : queries
  const most = EXACT_PAIRS[all.metric] * threads
  const load = `${pairs} pairs per point; exact search is the faster one up to ${most} on ${threads} threads`
  const fits = fitsDevice(search)
  if (pairs <= most && fits) return { algorithm: 'exact', reason: load }
  const reason = fits ? load : 'the points do not fit in WebAssembly memory'
  if (all.metric === 'inner-product') {
    return { algorithm: 'exact', reason: `${reason}; but the recall of HNSW is not known for inner products` }
  }
  const missing = whyNoHnsw()
  return missing === undefined
    ? { algorithm: 'hnsw', reason }
    : { algorithm: 'exact', reason: `${reason}; but ${missing}` }
}
