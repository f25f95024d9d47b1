import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { softcap } from './softcap.ts'

const SIZE = 128 * 30_522

/** Logits of 128 tokens over tau-30m's vocabulary. */
export const benches: Benches = [
  {
    name: 'softcap/vocabulary_T128',
    shape: '[128, 30522]',
    work: { bytes: bytesOf(2 * SIZE) },
    boundBy: 'instructions of the exponential',
    prepare(device) {
      const x = randomInput(device, [SIZE], 1)
      return opCase(
        device,
        () => softcap(x.tensor, 15),
        (i) => 15 * Math.tanh(x.values[i] / 15),
        { atol: 2e-6 },
      )
    },
  },
]
