import { expectNear, type HostBench, randomArray } from '@tau/testing'
import type { DenseMatrix } from '../dense/matrix.ts'
import { knnGraph } from './knn.ts'

const [ROWS, COLS] = [3000, 64]
const K = 15

/** Cosine distance of two nodes, as the definition has it. */
function cosineDistance(x: DenseMatrix, nodes: 'rows' | 'columns', a: number, b: number): number {
  const dim = nodes === 'rows' ? x.cols : x.rows
  const at = (node: number, c: number) => x.data[nodes === 'rows' ? node * x.cols + c : c * x.cols + node]
  let [product, squareA, squareB] = [0, 0, 0]
  for (let c = 0; c < dim; c++) {
    product += at(a, c) * at(b, c)
    squareA += at(a, c) ** 2
    squareB += at(b, c) ** 2
  }
  return 1 - Math.max(0, product / Math.sqrt(squareA * squareB))
}

function bench(what: string, nodes: 'rows' | 'columns'): HostBench {
  const count = nodes === 'rows' ? ROWS : COLS
  return {
    name: `graph/knn/${what}`,
    shape: `[${ROWS}, ${COLS}] k ${K}`,
    items: { count, unit: 'nodes' },
    prepare() {
      const x = { data: randomArray(ROWS * COLS, 1), rows: ROWS, cols: COLS }
      const run = () => knnGraph(x, { k: K, nodes })
      return {
        run: () => void run(),
        async check() {
          const { indptr, distances } = run()
          for (const node of [0, count >> 1, count - 1]) {
            const others = Array.from({ length: count }, (_, other) => other).filter(
              (other) => other !== node,
            )
            const sorted = others.map((other) => cosineDistance(x, nodes, node, other)).sort((a, b) => a - b)
            const found = distances.subarray(indptr[node], indptr[node + 1])
            expectNear(found, sorted.slice(0, K), { atol: 1e-12 })
          }
        },
      }
    },
  }
}

/** Exact neighbours among 3000 embeddings of width 64, and among their 64 features. */
export const benches: readonly HostBench[] = [bench('items', 'rows'), bench('features', 'columns')]
