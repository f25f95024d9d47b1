import { expectSamples } from '@tau/testing'
import { type Benches, bytesOf, opCase, randomInput, rowAt } from '../case.bench.ts'
import { kernelsOf } from '../table.ts'
import { softmaxReference } from './reference.ts'
import { softmax } from './softmax.ts'

const [ROWS, COLS] = [6 * 512, 512]

/** Attention weights of 6 heads over 512 tokens. */
export const benches: Benches = [
  {
    name: 'softmax/attn_T512',
    shape: '[6, 512, 512]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    boundBy: 'instructions of the exponential',
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const expectedAt = (i: number) => softmaxReference(rowAt(x.values, i, COLS), 1, COLS)[i % COLS]
      return opCase(device, () => softmax(x.tensor), expectedAt, { rtol: 2e-6 })
    },
  },
  {
    name: 'softmax/grad_attn_T512',
    shape: '[6, 512, 512]',
    work: { bytes: bytesOf(3 * ROWS * COLS) },
    prepare(device) {
      const y = randomInput(device, [ROWS, COLS], 2)
      const dOut = randomInput(device, [ROWS, COLS], 3)
      const dX = device.empty([ROWS, COLS])
      const { softmaxGrad } = kernelsOf(device)
      const run = () => softmaxGrad(y.tensor.handle, dOut.tensor.handle, dX.handle, ROWS, COLS)
      const expectedAt = (i: number) => {
        const gradient = rowAt(dOut.values, i, COLS)
        const dot = rowAt(y.values, i, COLS).reduce((sum, value, c) => sum + value * gradient[c], 0)
        return y.values[i] * (dOut.values[i] - dot)
      }
      return {
        run,
        async check() {
          run()
          expectSamples(await dX.data(), expectedAt, { atol: 2e-4 }) // dot is near 23, times y up to 4
        },
      }
    },
  },
]
