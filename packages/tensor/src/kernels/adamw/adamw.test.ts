import { expectNear, expectOracle, itMatchesOracle } from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import { describe, expect, it } from 'vitest'
import { globalNorm } from '../global-norm/global-norm.ts'
import { describeKernel, evaluate, exactly, itHasTheSameBits, LENGTHS, normal } from '../testing.ts'
import { type AdamWStep, adamwUpdate } from './adamw.ts'
import { type AdamWState, adamwReference } from './reference.ts'

const STEP: AdamWStep = {
  lr: 0.01,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.1,
  step: 1,
  maxNorm: 1,
}

describeKernel('adamwUpdate', (device) => {
  it.each(LENGTHS)('follows the reference for three steps of %i elements', async (n) => {
    const start = normal(n, 1)
    let expected: AdamWState = { param: exactly(start), m: new Float64Array(n), v: new Float64Array(n) }
    const grads = [2, 3, 4].map((seed) => normal(n, seed))
    const norms = [0.5, 3, 0]
    grads.forEach((grad, i) => {
      expected = adamwReference(expected, exactly(grad), norms[i], { ...STEP, step: i + 1 })
    })
    const [param, m, v] = await evaluate(device(), () => {
      const state = [
        device().tensor(start),
        device().tensor(new Float32Array(n)),
        device().tensor(new Float32Array(n)),
      ]
      grads.forEach((grad, i) => {
        const norm = device().scalar(norms[i])
        adamwUpdate(state[0], device().tensor(grad), state[1], state[2], norm, { ...STEP, step: i + 1 })
      })
      return state
    })
    expectNear(param, expected.param, { atol: 4e-7, rtol: 2e-7 }) // values of size 4, changes of size 0.01
    expectNear(m, expected.m, { atol: 1e-7 })
    expectNear(v, expected.v, { atol: 1e-7, rtol: 5e-7 })
  })

  it('keeps a decay that f32 cannot tell from 1', async () => {
    const step = { ...STEP, lr: 1e-6, weightDecay: 0.03, maxNorm: Infinity }
    const [param] = await evaluate(device(), () => {
      const [p, g, m, v] = [1024, 0, 0, 0].map((value) => device().tensor([value]))
      adamwUpdate(p, g, m, v, device().scalar(0), step)
      return [p]
    })
    expectNear(param, [1024 - 1024 * 3e-8], { atol: 3.1e-5 }) // half a unit in the last place below 1024
  })

  it.each([NaN, Infinity, -Infinity])('leaves everything as it was for a norm of %d', async (norm) => {
    const values = [1, 2, 3, 4].map((seed) => normal(37, seed))
    const found = await evaluate(device(), () => {
      const [p, g, m, v] = values.map((array) => device().tensor(array))
      adamwUpdate(p, g, m, v, device().scalar(norm), STEP)
      return [p, g, m, v]
    })
    expect(found).toEqual(values)
  })

  itMatchesOracle<Inputs, Expected>('adamw', async ({ inputs, expected, tolerance }) => {
    const { grad_norm, params } = await trace(inputs, expected.learning_rate.data)
    expectOracle({ grad_norm }, expected, tolerance)
    expectOracle(params, expected.params, tolerance.params)
  })

  /** Norms and parameters of all steps, one after another. */
  async function trace(inputs: Inputs, rates: readonly number[]) {
    const { optimiser } = inputs
    const names = Object.keys(inputs.params)
    const params: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]))
    const norms: number[] = []
    using _scope = device().scope()
    const state = names.map((name) => {
      const { shape, data } = inputs.params[name]
      const zeros = () => device().tensor(new Float32Array(data.length), shape)
      return { name, shape, param: device().tensor(data, shape), m: zeros(), v: zeros() }
    })
    for (let step = 0; step < rates.length; step++) {
      const grads = state.map(({ name, shape, param }) =>
        device().tensor(inputs.grads[name].data.slice(step * param.size, (step + 1) * param.size), shape),
      )
      const norm = globalNorm(grads)
      norms.push(await norm.item())
      for (const [i, { name, shape, param, m, v }] of state.entries()) {
        adamwUpdate(param, grads[i], m, v, norm, {
          lr: rates[step],
          beta1: optimiser.betas[0],
          beta2: optimiser.betas[1],
          eps: optimiser.eps,
          weightDecay: shape.length >= 2 ? optimiser.weight_decay : 0,
          step: step + 1,
          maxNorm: optimiser.clip ?? Infinity,
        })
        params[name].push(...(await param.data()))
      }
    }
    return { grad_norm: norms, params }
  }

  it('refuses shapes that differ, norms that are no scalar and steps below 1', () => {
    using _scope = device().scope()
    const [p, g, m, v] = [2, 2, 2, 3].map((n) => device().tensor(new Float32Array(n)))
    const norm = device().scalar(1)
    expect(() => adamwUpdate(p, g, m, v, norm, STEP)).toThrow(
      'adamwUpdate: shapes must be equal, got [2] and [3]',
    )
    expect(() => adamwUpdate(p, g, m, m, m, STEP)).toThrow('adamwUpdate: norm must hold one element, got [2]')
    expect(() => adamwUpdate(p, g, m, m, norm, { ...STEP, step: 0 })).toThrow(
      'adamwUpdate: step must count from 1, got 0',
    )
  })
})

interface Inputs {
  readonly params: Record<string, OracleArray>
  /** One gradient per step along the first axis. */
  readonly grads: Record<string, OracleArray>
  readonly optimiser: { betas: number[]; eps: number; weight_decay: number; clip: number | null }
}
interface Expected {
  readonly grad_norm: OracleArray
  readonly learning_rate: OracleArray
  readonly params: Record<string, OracleArray>
}

describe('adamwUpdate', () => {
  itHasTheSameBits((device) => {
    const [p, g, m, v] = [1, 2, 3, 4].map((seed) => device.tensor(normal(100_003, seed).map(Math.abs)))
    adamwUpdate(p, g, m, v, device.scalar(2), { ...STEP, step: 3 })
    return [p, m, v]
  })
})
