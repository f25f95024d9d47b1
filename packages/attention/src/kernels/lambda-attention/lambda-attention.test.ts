import { cpu, gpu } from '@tau/tensor'
import { describeDevices } from '@tau/testing'
import { steadyClock } from '../../clock.ts'
import {
  type ArrayJson,
  expectFixture,
  itWithFixtures,
  outAndGrads,
  tensorOf,
} from '../../testing/fixtures.ts'
import { lambdaAttention } from './lambda-attention.ts'

type Named<Names extends string> = Record<Names, ArrayJson>
type Common = 'lambda_q' | 'lambda_k' | 'v' | 'temperature'

describeDevices('lambdaAttention', { cpu, gpu }, (device) => {
  itWithFixtures<Named<Common | 'gamma' | 'r'>, { out: ArrayJson; grads: Named<Common | 'gamma'> }>(
    'attention',
    async ({ inputs, expected, tolerance }) => {
      using _scope = device().scope()
      const lambdaQ = tensorOf(device(), inputs.lambda_q, 1)
      const lambdaK = tensorOf(device(), inputs.lambda_k, 1)
      const v = tensorOf(device(), inputs.v, 1)
      const temperature = tensorOf(device(), inputs.temperature)
      const gamma = tensorOf(device(), inputs.gamma)
      const { out, grads } = await outAndGrads(
        { lambda_q: lambdaQ, lambda_k: lambdaK, v, temperature, gamma },
        tensorOf(device(), inputs.r, 1),
        () =>
          lambdaAttention({ lambdaQ, lambdaK, v, temperature, clock: steadyClock(gamma, lambdaK.shape[2]) }),
      )
      expectFixture({ out }, expected, tolerance)
      expectFixture(grads, expected.grads, tolerance.grads)
    },
  )

  itWithFixtures<Named<Common | 'clock' | 'r'>, { out: ArrayJson; grads: Named<Common | 'clock'> }>(
    'attention_clock',
    async ({ inputs, expected, tolerance }) => {
      using _scope = device().scope()
      const lambdaQ = tensorOf(device(), inputs.lambda_q, 1)
      const lambdaK = tensorOf(device(), inputs.lambda_k, 1)
      const v = tensorOf(device(), inputs.v, 1)
      const temperature = tensorOf(device(), inputs.temperature)
      const clock = tensorOf(device(), inputs.clock, 1)
      const { out, grads } = await outAndGrads(
        { lambda_q: lambdaQ, lambda_k: lambdaK, v, temperature, clock },
        tensorOf(device(), inputs.r, 1),
        () => lambdaAttention({ lambdaQ, lambdaK, v, temperature, clock }),
      )
      expectFixture({ out }, expected, tolerance)
      expectFixture(grads, expected.grads, tolerance.grads)
    },
  )
})
