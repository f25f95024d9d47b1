import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { clamp } from './clamp.ts'

const SIZE = 4096 * 384

/** Queries of four sequences of 1024 tokens. */
export const benches: Benches = [
  {
    name: 'clamp/queries',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(2 * SIZE) },
    prepare(device) {
      const x = randomInput(device, [SIZE], 1)
      return opCase(
        device,
        () => clamp(x.tensor, -1, 1),
        (i) => Math.min(Math.max(x.values[i], -1), 1),
        { atol: 0 },
      )
    },
  },
]
