import { GraphError } from '../errors.ts'
import { BoundedNeighbors } from '../neighbors/bounded.ts'
import { distanceOf, type Metric } from '../neighbors/distance.ts'
import type { NeighborLists } from '../neighbors/lists.ts'
import type { Gram } from './gram.ts'

/** The k nearest neighbours of every feature, from the products of features alone: cos_ij = G_ij / √(G_ii
 *  G_jj), |f_i − f_j|² = G_ii + G_jj − 2 G_ij. The lists are like those of `kneighbors` for the columns. A
 *  feature of zeros has cosine 0 with every other one. Euclidean distances below 10⁻⁷ of the features'
 *  lengths are only rounding errors.
 *  Throws GraphError for k or eps out of range. */
export const featureNeighbors = (
  { products, cols, scale }: Gram,
  { k, metric, eps }: { k: number; metric: Metric; eps: number | null },
): NeighborLists => {
  if (!Number.isSafeInteger(k) || k < 1 || k > cols - 1) {
    const advice = k > cols - 1 ? 'lower k or raise dim' : 'raise k'
    throw new GraphError(
      `buildManifold: k must be an integer between 1 and ${cols - 1} (nodes - 1), got ${k}; ${advice}`,
    )
  }
  if (eps !== null && !(eps >= 0))
    throw new GraphError(`buildManifold: eps must be null or a number of at least 0, got ${eps}`)
  const nearest = new BoundedNeighbors(cols, k)
  for (let i = 0; i < cols; i++) {
    const own = products[i * cols + i]
    for (let j = 0; j < i; j++) {
      const other = products[j * cols + j]
      const product = products[i * cols + j]
      const sum =
        metric === 'euclidean'
          ? Math.max(0, own + other - 2 * product)
          : own > 0 && other > 0
            ? product / Math.sqrt(own * other)
            : 0
      const distance = distanceOf(metric, 1 / scale, sum)
      nearest.offer(i, j, distance)
      nearest.offer(j, i, distance)
    }
  }
  return nearest.toLists(eps ?? Number.POSITIVE_INFINITY)
}
