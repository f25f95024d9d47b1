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
  /** largest distance of a neighbour; of at least 0, but for 'inner-product', where it is minus the smallest product */
  radius: number
  /** 'euclidean' unless given. scikit-learn's cosine is 'cosine-unrectified'. */
  metric?: NeighborMetric
  /** Rows whose neighbours among the points are wanted. Unless given, every point's among the others. */
  queries?: Points
}

/** All points within a distance of every row, exactly: as f64 loops over all pairs choose them, to the bit, nearest first, equal distances
 *  by index. Time, memory and errors are those of `kneighbors`; the lists take 28 bytes for every neighbour while they are made, and
 *  at most 2³¹ − 1 neighbours fit. */
export const radiusNeighbors = async (
  points: Points,
  options: RadiusNeighborsOptions,
): Promise<NeighborLists> => {
  checkOptions('radiusNeighbors', options, '{ radius }')
  const { radius, metric = 'euclidean', queries, device } = options
  const search = searchOf('radiusNeighbors', points, queries, metric)
  if (!Number.isFinite(radius) || (radius < 0 && metric !== 'inner-product')) {
    throw new GraphError(
      `radiusNeighbors: radius must be a finite number of at least 0, got ${radius}; give a distance of ${metric}`,
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
