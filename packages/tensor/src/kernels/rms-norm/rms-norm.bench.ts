import { expectSamples } from '@tau/testing'
import { type Benches, bytesOf, opCase, randomInput, rowAt } from '../case.bench.ts'
import { kernelsOf } from '../table.ts'
import { rmsNormReference } from './reference.ts'
import { rmsNorm } from './rms-norm.ts'

const [ROWS, COLS, EPS] = [4096, 384, 1e-6]

/** The trunk of four sequences of 1024 tokens. */
export const benches: Benches = [
  {
    name: 'rms-norm/trunk',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 1)
      const expectedAt = (i: number) => rmsNormReference(rowAt(x.values, i, COLS), COLS, EPS)[i % COLS]
      return opCase(device, () => rmsNorm(x.tensor, EPS), expectedAt, { rtol: 1e-6 })
    },
  },
  {
    name: 'rms-norm/grad_trunk',
    shape: '[4096, 384]',
    work: { bytes: bytesOf(3 * ROWS * COLS) },
    prepare(device) {
      const x = randomInput(device, [ROWS, COLS], 2)
      const dOut = randomInput(device, [ROWS, COLS], 3)
      const dX = device.empty([ROWS, COLS])
      const { rmsNormGrad } = kernelsOf(device)
      const run = () => rmsNormGrad(x.tensor.handle, dOut.tensor.handle, dX.handle, ROWS, COLS, EPS)
      const expectedAt = (i: number) => {
        const row = rowAt(x.values, i, COLS)
        const gradient = rowAt(dOut.values, i, COLS)
        const s = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / COLS + EPS)
        const dot = row.reduce((sum, value, c) => sum + value * gradient[c], 0) / COLS
        return s * gradient[i % COLS] - s ** 3 * row[i % COLS] * dot
      }
      return {
        run,
        async check() {
          run()
          expectSamples(await dX.data(), expectedAt, { atol: 2e-6 })
        },
      }
    },
  },
]
