import { type Benches, bytesOf, opCase } from '../case.bench.ts'
import { fill } from './fill.ts'

const SIZE = 4096 * 384

export const benches: Benches = [
  {
    name: 'fill/activations',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(SIZE) },
    prepare: (device) =>
      opCase(
        device,
        () => fill(device, [SIZE], 0.5),
        () => 0.5,
        { atol: 0 },
      ),
  },
]
