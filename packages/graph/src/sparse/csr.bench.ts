import { expectSamples, type HostBench, randomArray } from '@tau/testing'
import { type Csr, csrFromCoo, nnz, spmm, spmv, valueAt } from './csr.ts'

const SIZE = 20_000
const PER_ROW = 16
const COLS = 64

/** A square matrix like the graph of 20 000 items: 16 entries per row, at random columns of one seed. */
function matrix(): Csr {
  const count = SIZE * PER_ROW
  const [column, value] = [randomArray(count, 1), randomArray(count, 2)]
  return csrFromCoo({
    nRows: SIZE,
    nCols: SIZE,
    row: Int32Array.from(value, (_, n) => Math.floor(n / PER_ROW)),
    col: Int32Array.from(column, (x) => Math.floor(Math.abs(x) * 7919 * SIZE) % SIZE),
    value,
  })
}

/** (m·x)[row, col] from all entries of the row, stored or not. */
function productAt(m: Csr, x: Float64Array, cols: number, index: number): number {
  let sum = 0
  for (let j = 0; j < SIZE; j++) sum += valueAt(m, Math.floor(index / cols), j) * x[j * cols + (index % cols)]
  return sum
}

function bench(
  what: string,
  cols: number,
  product: (m: Csr, x: Float64Array) => Float64Array,
  shape: string,
): HostBench {
  return {
    name: `graph/${what}/items_20000`,
    shape,
    items: { count: SIZE, unit: 'rows' },
    prepare() {
      const m = matrix()
      const x = randomArray(SIZE * cols, 3)
      return {
        run: () => void product(m, x),
        async check() {
          if (nnz(m) < SIZE * (PER_ROW - 1))
            throw new Error(`bench: the matrix must have about ${SIZE * PER_ROW} entries, got ${nnz(m)}`)
          expectSamples(product(m, x), (index) => productAt(m, x, cols, index), { atol: 1e-12 })
        },
      }
    },
  }
}

/** A sparse matrix times a vector, and times a matrix as wide as embeddings. */
export const benches: readonly HostBench[] = [
  bench('spmv', 1, spmv, `[${SIZE}, ${SIZE}] ${PER_ROW} a row`),
  bench(
    'spmm',
    COLS,
    (m, data) => spmm(m, { data, rows: SIZE, cols: COLS }).data,
    `[${SIZE}, ${SIZE}] ${PER_ROW} a row times [${SIZE}, ${COLS}]`,
  ),
]
