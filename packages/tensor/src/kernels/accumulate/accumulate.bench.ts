import { expectSamples } from '@tau/testing'
import { type Benches, bytesOf, randomInput } from '../case.bench.ts'
import { fill } from '../fill/fill.ts'
import { addInto } from './accumulate.ts'

const SIZE = 1536 * 384

/** Gradients of tau-30m's largest layer, over micro-batches. */
export const benches: Benches = [
  {
    name: 'accumulate/mlp_up_dw',
    shape: '[1536, 384]',
    work: { bytes: bytesOf(3 * SIZE) },
    prepare(device) {
      const x = randomInput(device, [SIZE], 1)
      const target = fill(device, [SIZE], 1)
      return {
        run: () => addInto(target, x.tensor, 0), // 0: the target must not drift from round to round
        async check() {
          using sum = fill(device, [SIZE], 1)
          addInto(sum, x.tensor, 0.5)
          expectSamples(await sum.data(), (i) => 1 + 0.5 * x.values[i], { atol: 3e-7 })
        },
      }
    },
  },
]
