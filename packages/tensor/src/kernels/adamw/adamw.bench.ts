import { expectSamples } from '@tau/testing'
import { type Benches, bytesOf, randomInput } from '../case.bench.ts'
import { fill } from '../fill/fill.ts'
import { type AdamWStep, adamwUpdate } from './adamw.ts'
import { adamwReference } from './reference.ts'

const SIZE = 1536 * 384
const step: AdamWStep = {
  lr: 1e-3,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.1,
  step: 1,
  maxNorm: 1,
}

/** Reads parameter, gradient and both moments, writes all but the gradient. */
export const benches: Benches = [
  {
    name: 'adamw/mlp_up',
    shape: '[1536, 384]',
    work: { bytes: bytesOf(7 * SIZE) },
    prepare(device) {
      const param = randomInput(device, [SIZE], 1)
      const grad = randomInput(device, [SIZE], 2)
      const [m, v] = [fill(device, [SIZE], 0), fill(device, [SIZE], 0)]
      const norm = device.scalar(2)
      return {
        run: () => adamwUpdate(param.tensor, grad.tensor, m, v, norm, { ...step, lr: 0 }), // the parameter stays
        async check() {
          using updated = device.tensor(param.values)
          using first = fill(device, [SIZE], 0)
          using second = fill(device, [SIZE], 0)
          adamwUpdate(updated, grad.tensor, first, second, norm, step)
          const expectedAt = (i: number) => {
            const state = {
              param: Float64Array.of(param.values[i]),
              m: Float64Array.of(0),
              v: Float64Array.of(0),
            }
            return adamwReference(state, Float64Array.of(grad.values[i]), 2, step).param[0]
          }
          expectSamples(await updated.data(), expectedAt, { atol: 1e-6 })
        },
      }
    },
  },
]
