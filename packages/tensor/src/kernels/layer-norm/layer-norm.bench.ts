import { type Benches, bytesOf, opCase, randomInput, rowAt } from '../case.bench.ts'
import { layerNorm } from './layer-norm.ts'
import { layerNormReference } from './reference.ts'

const [ROWS, COLS, EPS] = [4096, 384, 1e-5]

/** The trunk of four sequences of 1024 tokens. */
export const benches: Benches = [
  {
    name: 'layer-norm/trunk',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    boundBy: 'passes of the operations that it is composed of',
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const expectedAt = (i: number) => layerNormReference(rowAt(x.values, i, COLS), COLS, EPS)[i % COLS]
      const op = () => layerNorm(x.tensor, undefined, undefined, EPS)
      return opCase(device, op, expectedAt, { atol: 2e-6 })
    },
  },
]
