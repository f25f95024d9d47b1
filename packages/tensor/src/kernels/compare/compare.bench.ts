import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { equal, less } from './compare.ts'

const [ROWS, COLS] = [4096, 384]

/** Masks for four sequences of 1024 tokens: compared with a number, and with another tensor. */
export const benches: Benches = [
  {
    name: 'compare/less_number',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const expectedAt = (i: number) => Number(x.values[i] < 0)
      return opCase(device, () => less(x.tensor, 0), expectedAt, { atol: 0 })
    },
  },
  {
    name: 'compare/equal_tensors',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(3 * ROWS * COLS) },
    prepare(device) {
      const a = randomInput(device, [ROWS, COLS], 2)
      const values = a.values.map((value, i) => (i % 3 === 0 ? value : -value))
      const b = device.tensor(values, [ROWS, COLS])
      const expectedAt = (i: number) => Number(a.values[i] === values[i])
      return opCase(device, () => equal(a.tensor, b), expectedAt, { atol: 0 })
    },
  },
]
