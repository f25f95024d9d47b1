import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { where } from './where.ts'

const [ROWS, COLS] = [4096, 384]

/** A choice between two tensors, for four sequences of 1024 tokens. */
export const benches: Benches = [
  {
    name: 'where/trunk',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(4 * ROWS * COLS) },
    prepare(device) {
      const mask = Float32Array.from({ length: ROWS * COLS }, (_, i) => i % 3)
      const chooser = device.tensor(mask, [ROWS, COLS])
      const a = randomInput(device, [ROWS, COLS], 1)
      const b = randomInput(device, [ROWS, COLS], 2)
      const expectedAt = (i: number) => (mask[i] === 0 ? b : a).values[i]
      return opCase(device, () => where(chooser, a.tensor, b.tensor), expectedAt, { atol: 0 })
    },
  },
]
