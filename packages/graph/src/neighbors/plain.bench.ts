import { expectNear, type HostBench, randomArray } from '@tau/testing'
import type { DenseMatrix } from '../dense/matrix.ts'
import { transposed } from '../dense/multiply.ts'
import { Pace } from '../watch/pace.ts'
import { plainNearest } from './plain.ts'
import { searchOf } from './search.ts'

const [ROWS, COLS] = [3000, 64]
const K = 15

/** Cosine distance of two rows by its definition. */
function cosineDistance({ data, cols }: DenseMatrix, a: number, b: number): number {
  let [product, squareA, squareB] = [0, 0, 0]
  for (let c = 0; c < cols; c++) {
    product += data[a * cols + c] * data[b * cols + c]
    squareA += data[a * cols + c] ** 2
    squareB += data[b * cols + c] ** 2
  }
  return 1 - Math.max(0, product / Math.sqrt(squareA * squareB))
}

function bench(what: string, nodesOf: (x: DenseMatrix) => DenseMatrix, count: number): HostBench {
  return {
    name: `graph/knn/${what}`,
    shape: `[${ROWS}, ${COLS}] k ${K}`,
    items: { count, unit: 'nodes' },
    prepare() {
      const x = { data: randomArray(ROWS * COLS, 1), rows: ROWS, cols: COLS }
      const run = () =>
        plainNearest(searchOf('bench', nodesOf(x), undefined, 'cosine'), K, new Pace(count, {}))
      return {
        run: async () => void (await run()),
        async check() {
          const nodes = nodesOf(x)
          const { indptr, distances } = await run()
          for (const node of [0, count >> 1, count - 1]) {
            const others = Array.from({ length: count }, (_, other) => other).filter(
              (other) => other !== node,
            )
            const sorted = others.map((other) => cosineDistance(nodes, node, other)).sort((a, b) => a - b)
            const found = distances.subarray(indptr[node], indptr[node + 1])
            expectNear(found, sorted.slice(0, K), { atol: 1e-12 })
          }
        },
      }
    },
  }
}

/** Exact neighbours by f64 loops on one thread, among 3000 embeddings of width 64, and among their 64
 *  features. */
export const benches: readonly HostBench[] = [
  bench('items', (x) => x, ROWS),
  bench('features', transposed, COLS),
]
