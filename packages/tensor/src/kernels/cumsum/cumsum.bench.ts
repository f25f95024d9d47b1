import { type Benches, bytesOf, opCase, randomInput, rowAt } from '../case.bench.ts'
import { cumsum } from './cumsum.ts'

const [ROWS, COLS] = [192, 8192]

/** Log decays of long sequences: 32 sequences of 6 heads. */
export const benches: Benches = [
  {
    name: 'cumsum/clock_T8192',
    shape: '[192, 8192]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const expectedAt = (i: number) =>
        rowAt(x.values, i, COLS)
          .subarray(0, (i % COLS) + 1)
          .reduce((sum, value) => sum + value, 0)
      return opCase(device, () => cumsum(x.tensor), expectedAt, { atol: 1e-3 }) // sums reach 100, 8192 roundings
    },
  },
]
