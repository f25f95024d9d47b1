import { expectSamples } from '@tau/testing'
import { type Benches, bytesOf, randomInput } from '../case.bench.ts'
import { fill } from '../fill/fill.ts'
import { sgdReference } from './reference.ts'
import { type SgdStep, sgdUpdate } from './sgd.ts'

const SIZE = 1536 * 384
const step: SgdStep = { lr: 1e-2, momentum: 0.9, nesterov: true, weightDecay: 0.1, maxNorm: 1 }

/** Reads parameter, gradient and velocity, writes all but the gradient. */
export const benches: Benches = [
  {
    name: 'sgd/mlp_up',
    shape: '[1536, 384]',
    work: { bytes: bytesOf(5 * SIZE) },
    prepare(device) {
      const param = randomInput(device, [SIZE], 1)
      const grad = randomInput(device, [SIZE], 2)
      const velocity = fill(device, [SIZE], 0)
      const norm = device.scalar(2)
      return {
        run: () => sgdUpdate(param.tensor, grad.tensor, velocity, norm, { ...step, lr: 0 }), // the parameter stays
        async check() {
          using updated = device.tensor(param.values)
          using moving = fill(device, [SIZE], 0)
          sgdUpdate(updated, grad.tensor, moving, norm, step)
          const expectedAt = (i: number) => {
            const state = { param: Float64Array.of(param.values[i]), velocity: Float64Array.of(0) }
            return sgdReference(state, Float64Array.of(grad.values[i]), 2, step).param[0]
          }
          expectSamples(await updated.data(), expectedAt, { atol: 1e-6 })
        },
      }
    },
  },
]
