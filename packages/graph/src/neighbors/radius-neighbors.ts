import type { Points } from '../dense/points.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { Pace, type PaceOptions } from '../watch/pace.ts'
import { deviceWithin } from './device/device-within.ts'
import type { NeighborMetric } from './distance.ts'
import type { NeighborLists } from './lists.ts'
import { plainWithin } from './plain.ts'
import { type DeviceOptions, runSearch } from './run.ts'
import { searchOf } from './search.ts'

export interface RadiusNeighborsOptions extends PaceOptions, DeviceOptions {
  /** largest distance of a neighbour, at least 0; for 'inner-product' it is minus the smallest product, and
   *  may be negative */
  radius: number
  /** 'euclidean' unless given. scikit-learn's cosine is 'cosine-unrectified'. */
  metric?: NeighborMetric
  /** rows whose neighbours among the points are searched; without it, the neighbours of every point among the
   *  other points */
  queries?: Points
}

/** All points within a distance of every row, nearest first; equal distances are ordered by index. The result
 *  is exact: it has the bits of f64 loops over all pairs. Time, memory and errors are those of `kneighbors`.
 *  The lists take 28 bytes per neighbour while they are made, and hold at most 2³¹ − 1 neighbours. */
export const radiusNeighbors = async (
  points: Points,
  options: RadiusNeighborsOptions,
): Promise<NeighborLists> => {
  checkOptions('radiusNeighbors', options, '{ radius }')
  const { radius, metric = 'euclidean', queries, device } = options
  const search = searchOf('radiusNeighbors', points, queries, metric)
  if (!Number.isFinite(radius) || (radius < 0 && metric !== 'inner-product')) {
    throw new GraphError(
      `radiusNeighbors: radius must be a finite number of at least 0, got ${radius}; give a distance for metric ${metric}`,
    )
  }
  const pace = new Pace(search.queries, options)
  const lists = await runSearch('radiusNeighbors', search, device, pace, {
    plain: () => plainWithin(search, radius, pace),
    placed: (placed) => deviceWithin(placed, radius, pace),
  })
  pace.finish()
  return lists
}
