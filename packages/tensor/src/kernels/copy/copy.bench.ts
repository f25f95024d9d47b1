import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { slice } from './copy.ts'

const [ROWS, COLS] = [4096, 768]

/** The first half of each row, as token shift copies it. */
export const benches: Benches = [
  {
    name: 'copy/half_rows',
    shape: '[4096, 768] to [4096, 384]',
    work: { bytes: bytesOf(ROWS * COLS) },
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const half = COLS / 2
      const expectedAt = (i: number) => x.values[Math.floor(i / half) * COLS + (i % half)]
      return opCase(device, () => slice(x.tensor, 1, 0, half), expectedAt, { atol: 0 })
    },
  },
]
