import type { Pace } from '../../watch/pace.ts'
import { distanceOf } from '../distance.ts'
import type { NeighborLists } from '../lists.ts'
import { Pairs } from '../pairs.ts'
import type { PlacedSearch } from './placed.ts'
import { sumOfDistance } from './scores.ts'
import { WithinScan } from './within-scan.ts'

/** All neighbours with distance ≤ radius. Products in f32, with a margin, select candidates; sums in f64
 *  decide. */
export const deviceWithin = async (
  placed: PlacedSearch,
  radius: number,
  pace: Pace,
): Promise<NeighborLists> => {
  const { search, scores, queries, points } = placed
  const { metric, scale } = search.all
  const pairs = new Pairs()
  const sum = sumOfDistance(metric, scale, radius)
  using scan = new WithinScan(placed, queries[0].rows)
  for (const [i, { first, rows, vectors }] of queries.entries()) {
    const indices = Array.from({ length: rows }, (_, row) => first + row)
    scan.setRows(
      indices,
      indices.map((row) => scores.limit(row, sum)),
    )
    for (let j = search.self ? i : 0; j < points.length; j++) {
      const mirrored = search.self && j > i
      scan.block(vectors, points[j], (row, index, found) => {
        const distance = distanceOf(metric, scale, found)
        if (!(distance <= radius)) return
        pairs.add(first + row, index, distance)
        if (mirrored) pairs.add(index, first + row, distance)
      })
      await pace.step(placed.share(i, j), first)
    }
  }
  return pairs.toLists(search.queries)
}
