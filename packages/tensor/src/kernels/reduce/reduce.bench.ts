import { type Benches, bytesOf, opCase, randomInput, rowAt } from '../case.bench.ts'
import { sum } from './reduce.ts'

const [ROWS, COLS] = [4096, 384]

/** Sums over each row, and over each column. */
export const benches: Benches = [
  {
    name: 'reduce/sum_rows',
    shape: '[4096, 384] to [4096]',
    work: { bytes: bytesOf(ROWS * COLS + ROWS) },
    readsOnly: true,
    boundBy: 'conversions to f64',
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const expectedAt = (row: number) =>
        rowAt(x.values, row * COLS, COLS).reduce((total, value) => total + value, 0)
      return opCase(device, () => sum(x.tensor, [1]), expectedAt, { atol: 1e-5 })
    },
  },
  {
    name: 'reduce/sum_columns',
    shape: '[4096, 384] to [384]',
    work: { bytes: bytesOf(ROWS * COLS + COLS) },
    readsOnly: true,
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 2)
      const expectedAt = (col: number) => {
        let total = 0
        for (let row = 0; row < ROWS; row++) total += x.values[row * COLS + col]
        return total
      }
      return opCase(device, () => sum(x.tensor, [0]), expectedAt, { atol: 1e-4 })
    },
  },
]
