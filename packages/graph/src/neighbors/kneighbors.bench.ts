import { expectNear, type HostBench, randomArray } from '@tau/testing'
import { Pace } from '../watch/pace.ts'
import { kneighbors } from './kneighbors.ts'
import { plainNearest, plainWithin } from './plain.ts'
import { radiusNeighbors } from './radius-neighbors.ts'
import { searchOf } from './search.ts'

const [ROWS, COLS] = [3000, 64]
const K = 15
/** A tenth of the points have a neighbour within this distance. */
const RADIUS = 7

/** The searches without a given device, so each opens its own. Compare with `knn/items`, the f64 loops on one
 *  thread. */
export const benches: readonly HostBench[] = [
  {
    name: 'graph/kneighbors/items',
    shape: `[${ROWS}, ${COLS}] k ${K}`,
    items: { count: ROWS, unit: 'nodes' },
    prepare() {
      const x = { data: randomArray(ROWS * COLS, 1), rows: ROWS, cols: COLS }
      const run = () => kneighbors(x, { k: K, metric: 'cosine' })
      return {
        run: async () => void (await run()),
        async check() {
          const search = searchOf('bench', x, undefined, 'cosine')
          const expected = await plainNearest(search, K, new Pace(1, {}))
          const found = await run()
          expectNear(found.indices, expected.indices, { atol: 0 })
          expectNear(found.distances, expected.distances, { atol: 0 })
        },
      }
    },
  },
  {
    name: 'graph/radius-neighbors/items',
    shape: `[${ROWS}, ${COLS}] radius ${RADIUS}`,
    items: { count: ROWS, unit: 'nodes' },
    prepare() {
      const x = { data: randomArray(ROWS * COLS, 1), rows: ROWS, cols: COLS }
      const run = () => radiusNeighbors(x, { radius: RADIUS })
      return {
        run: async () => void (await run()),
        async check() {
          const search = searchOf('bench', x, undefined, 'euclidean')
          const all = await plainWithin(search, RADIUS, new Pace(1, {}))
          const { indptr, indices } = await run()
          expectNear(indptr, all.indptr, { atol: 0 })
          expectNear(indices, all.indices, { atol: 0 })
        },
      }
    },
  },
]
