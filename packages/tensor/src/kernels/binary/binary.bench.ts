import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { add, mul } from './binary.ts'

const [ROWS, COLS] = [4096, 384]

/** The residual sum of four sequences of 1024 tokens, and a row stretched over all tokens. */
export const benches: Benches = [
  {
    name: 'binary/add_residual',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(3 * ROWS * COLS) },
    prepare(device) {
      const a = randomInput(device, [ROWS, COLS], 1)
      const b = randomInput(device, [ROWS, COLS], 2)
      return opCase(
        device,
        () => add(a.tensor, b.tensor),
        (i) => a.values[i] + b.values[i],
        { rtol: 1e-7 },
      )
    },
  },
  {
    name: 'binary/mul_row',
    shape: '[4096, 384] x [384]',
    work: { bytes: bytesOf(2 * ROWS * COLS + COLS) },
    prepare(device) {
      const a = randomInput(device, [ROWS, COLS], 3)
      const b = randomInput(device, [COLS], 4)
      return opCase(
        device,
        () => mul(a.tensor, b.tensor),
        (i) => a.values[i] * b.values[i % COLS],
        { rtol: 1e-7 },
      )
    },
  },
]
