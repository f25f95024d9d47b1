import type { Pace } from '../watch/pace.ts'
import { BoundedNeighbors } from './bounded.ts'
import { distanceTile, TILE } from './distance.ts'
import type { NeighborLists } from './lists.ts'
import { Pairs } from './pairs.ts'
import type { Search } from './search.ts'

/** The k nearest by definition: f64 loops over all pairs, tile by tile. Small inputs use it, and tests
 *  compare the device searches with it. */
export const plainNearest = async (search: Search, k: number, pace: Pace): Promise<NeighborLists> => {
  const nearest = new BoundedNeighbors(search.queries, k)
  await eachPair(search, pace, (row, index, distance) => nearest.offer(row, index, distance))
  return nearest.toLists(Number.POSITIVE_INFINITY)
}

/** All neighbours with distance ≤ radius, by the same loops. */
export const plainWithin = async (search: Search, radius: number, pace: Pace): Promise<NeighborLists> => {
  const pairs = new Pairs()
  await eachPair(search, pace, (row, index, distance) => {
    if (distance <= radius) pairs.add(row, index, distance)
  })
  return pairs.toLists(search.queries)
}

/** Visits every row with every index that may be its neighbour. If the queries are the points, each distance
 *  is computed once. */
const eachPair = async (
  { all, queries, first, count, self }: Search,
  pace: Pace,
  visit: (row: number, index: number, distance: number) => void,
): Promise<void> => {
  const tile = new Float64Array(TILE * TILE)
  const shareOf = (rows: number) => 1 - (1 - rows / queries) ** (self ? 2 : 1)
  for (let i0 = 0; i0 < queries; i0 += TILE) {
    const i1 = Math.min(queries, i0 + TILE)
    const [share, rowShare] = [shareOf(i0), shareOf(i1) - shareOf(i0)]
    for (let j0 = self ? i0 : 0; j0 < count; j0 += TILE) {
      const j1 = Math.min(count, j0 + TILE)
      await pace.step(share + (rowShare * j0) / count, i0)
      distanceTile(all, i0, i1, first + j0, first + j1, tile)
      for (let i = i0; i < i1; i++) {
        for (let j = self ? Math.max(j0, i + 1) : j0; j < j1; j++) {
          const distance = tile[(i - i0) * TILE + j - j0]
          visit(i, j, distance)
          if (self) visit(j, i, distance)
        }
      }
    }
  }
}
