import { philox4x32 } from '../../philox.ts'
import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { dropout } from './dropout.ts'

const [ROWS, COLS, RATE] = [4096, 384, 0.25]
const [SEED, STEP, STREAM] = [7, 11, 3]

/** The trunk of four sequences of 1024 tokens. */
export const benches: Benches = [
  {
    name: 'dropout/trunk',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    boundBy: 'integer products of the random words',
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const expectedAt = (i: number) => {
        const words = philox4x32([Math.floor(i / 4), STEP, STREAM, 1], [SEED, 0])
        return words[i % 4] < RATE * 2 ** 32 ? 0 : x.values[i] / (1 - RATE)
      }
      const op = () => dropout(x.tensor, RATE, { seed: SEED, step: STEP, stream: STREAM })
      return opCase(device, op, expectedAt, { rtol: 2e-7 })
    },
  },
]
