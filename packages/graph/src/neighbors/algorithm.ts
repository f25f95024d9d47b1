import { GraphError } from '../errors.ts'
import type { NeighborMetric } from './distance.ts'
import { whyNoUsearch } from './hnsw/usearch.ts'
import { fitsDevice } from './run.ts'
import type { Search } from './search.ts'

/** How a search was done, and why. 'hnsw' is approximate. */
export interface Choice {
  algorithm: 'exact' | 'hnsw'
  reason: string
}

export const ALGORITHMS = ['exact', 'hnsw', 'auto'] as const

/** Pairs per point that one thread computes in the time that HNSW takes for the point. Seconds on two threads, word vectors of width 100:
 *  cosine, exact and HNSW: 20 000 points 0.5 and 1.8, 100 000 8.9 and 20.9, 340 000 94 and 108. Exact search grows as n^1.93, HNSW as n^1.34:
 *  both meet at 420 000. By Euclidean distances, 100 000: 8.9 and 26.6, so at 640 000, by the same exponents. Wider vectors change the two
 *  alike: 20 000 normal ones of width 384 1.35 and 14. */
const EXACT_PAIRS: Readonly<Record<NeighborMetric, number>> = {
  cosine: 105_000,
  'cosine-unrectified': 105_000,
  euclidean: 160_000,
  'inner-product': 160_000,
}

/** What is done when `algorithm` is asked for. Throws GraphError for an unknown one. */
export const chooseAlgorithm = (
  op: string,
  algorithm: (typeof ALGORITHMS)[number],
  search: Search,
  threads: number,
): Choice => {
  if (!ALGORITHMS.includes(algorithm)) {
    throw new GraphError(`${op}: algorithm must be one of ${ALGORITHMS.join(', ')}, got '${algorithm}'`)
  }
  return algorithm === 'auto' ? fastest(search, threads) : { algorithm, reason: 'as asked for' }
}

/** What 'auto' does. */
export const fastest = (
  search: Search,
  threads: number,
  whyNoHnsw: () => string | undefined = whyNoUsearch,
): Choice => {
  const { queries, count, self, all } = search
  const pairs = self ? count / 2 : queries
  const most = EXACT_PAIRS[all.metric] * threads
  const load = `${pairs} pairs per point, where up to ${most} on ${threads} threads are faster than HNSW`
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
