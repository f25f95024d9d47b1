import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { permute, transpose } from './transpose.ts'

const [B, T, H, D] = [4, 1024, 6, 64]
const [ROWS, COLS] = [1024, 1536]

/** Heads to the front, which moves runs of 64 numbers, and a matrix, which moves single numbers. */
export const benches: Benches = [
  {
    name: 'transpose/heads',
    shape: '[4, 1024, 6, 64] to [4, 6, 1024, 64]',
    work: { bytes: bytesOf(2 * B * T * H * D) },
    prepare(device) {
      const x = randomInput(device, [B, T, H, D], 1)
      const expectedAt = (i: number) => {
        const [d, t, h] = [i % D, Math.floor(i / D) % T, Math.floor(i / (D * T)) % H]
        const b = Math.floor(i / (D * T * H))
        return x.values[((b * T + t) * H + h) * D + d]
      }
      return opCase(device, () => permute(x.tensor, [0, 2, 1, 3]), expectedAt, { atol: 0 })
    },
  },
  {
    name: 'transpose/matrix',
    shape: '[1024, 1536]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    boundBy: 'single lines of many rows',
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 2)
      const expectedAt = (i: number) => x.values[(i % ROWS) * COLS + Math.floor(i / ROWS)]
      return opCase(device, () => transpose(x.tensor), expectedAt, { atol: 0 })
    },
  },
]
