import { cpu, type Device } from '@tau/tensor'
import { expectNear, type HostBench, randomArray } from '@tau/testing'
import { featureLaplacian } from '../laplacian/pipeline.ts'
import { TaumodeIndex } from './taumode-index.ts'
import { plainSearch } from './testing.ts'

const [ROWS, COLS] = [100_000, 100]
const K = 10

const vectors = () => ({ data: Float32Array.from(randomArray(ROWS * COLS, 1)), rows: ROWS, cols: COLS })
const laplacian = await featureLaplacian(
  { data: vectors().data.subarray(0, 300 * COLS), cols: COLS },
  { k: 8, sigma: 1 },
)
const indexOf = (x: ReturnType<typeof vectors>, device?: Device): TaumodeIndex => {
  const index = new TaumodeIndex(laplacian, { device })
  index.add(x)
  return index
}

/** The same search on one thread of a device, and on two. */
const onThreads = (threads: number): HostBench => ({
  name: `graph/taumode-index/search_${threads}t`,
  shape: `[${ROWS}, ${COLS}] k ${K}, a device of ${threads}`,
  items: { count: 1, unit: 'queries' },
  prepare() {
    const x = vectors()
    const opened = cpu({ threads }).then((device) => indexOf(x, device))
    const query = randomArray(COLS, 2)
    return {
      run: async () => void (await opened).search(query, K),
      async check() {
        const [found, expected] = [(await opened).search(query, K), indexOf(x).search(query, K)]
        expectNear(
          found.flatMap(({ id, score }) => [id, score]),
          expected.flatMap(({ id, score }) => [id, score]),
          { atol: 0 },
        )
      },
    }
  },
})

/** One query among 100 000 vectors of width 100 in f32, by score and by λ. */
export const benches: readonly HostBench[] = [
  {
    name: 'graph/taumode-index/search',
    shape: `[${ROWS}, ${COLS}] k ${K}`,
    items: { count: 1, unit: 'queries' },
    prepare() {
      const index = indexOf(vectors())
      const query = randomArray(COLS, 2)
      const run = () => index.search(query, K)
      return {
        run: () => void run(),
        async check() {
          const items = Array.from({ length: ROWS }, (_, id) => index.get(id))
          const [lambda] = index.lambdaOf([query])
          const expected = plainSearch(items, { vector: query, lambda }, 0.7, 0.3).slice(0, K)
          const found = run()
          expectNear(
            found.map(({ id }) => id),
            expected.map(({ id }) => id),
            {},
          )
          expectNear(
            found.map(({ score }) => score),
            expected.map(({ score }) => score),
            { atol: 1e-14 },
          )
        },
      }
    },
  },
  onThreads(1),
  onThreads(2),
  {
    name: 'graph/taumode-index/by-lambda',
    shape: `[${ROWS}, ${COLS}] 100 hits`,
    items: { count: 1, unit: 'queries' },
    prepare() {
      const index = indexOf(vectors())
      const order = index.byLambda(0, 1)
      const [low, high] = [order[50_000], order[50_099]].map((id) => index.get(id).lambda)
      const run = () => index.byLambda(low, high)
      return {
        run: () => void run(),
        async check() {
          expectNear(run(), order.slice(50_000, 50_100), {})
        },
      }
    },
  },
]
