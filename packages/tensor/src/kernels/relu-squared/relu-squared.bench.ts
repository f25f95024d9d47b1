import { expectSamples } from '@tau/testing'
import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { kernelsOf } from '../table.ts'
import { reluSquared } from './relu-squared.ts'

const SIZE = 1024 * 1536

/** Feed-forward activations of 1024 tokens of tau-30m. */
export const benches: Benches = [
  {
    name: 'relu-squared/mlp_T1024',
    shape: '[1024, 1536]',
    work: { bytes: bytesOf(2 * SIZE) },
    prepare(device) {
      const x = randomInput(device, [SIZE], 1)
      return opCase(
        device,
        () => reluSquared(x.tensor),
        (i) => Math.max(x.values[i], 0) ** 2,
        { rtol: 1e-7 },
      )
    },
  },
  {
    name: 'relu-squared/grad_mlp_T1024',
    shape: '[1024, 1536]',
    work: { bytes: bytesOf(3 * SIZE) },
    prepare(device) {
      const x = randomInput(device, [SIZE], 2)
      const dOut = randomInput(device, [SIZE], 3)
      const dX = device.empty([SIZE])
      const out = device.tensor(x.values.map((value) => Math.max(value, 0) ** 2))
      const { reluSquaredGrad } = kernelsOf(device)
      const run = () => reluSquaredGrad(out.handle, dOut.tensor.handle, dX.handle, SIZE)
      return {
        run,
        async check() {
          run()
          expectSamples(await dX.data(), (i) => 2 * Math.max(x.values[i], 0) * dOut.values[i], { rtol: 2e-7 })
        },
      }
    },
  },
]
