import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { describeKernel, evaluate, exactly, itHasTheSameBits, LENGTHS, normal } from '../testing.ts'
import { type SgdState, sgdReference } from './reference.ts'
import { type SgdStep, sgdUpdate } from './sgd.ts'

const STEP: SgdStep = { lr: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0.1, maxNorm: 1 }

describeKernel('sgdUpdate', (device) => {
  const kinds: readonly [string, boolean, boolean][] = [
    ['with momentum', true, false],
    ['with Nesterov momentum', true, true],
    ['without momentum', false, false],
  ]
  it.each(kinds.flatMap((kind) => LENGTHS.map((n) => [...kind, n] as const)))(
    'follows the reference for three steps %s (%s, %s) of %i elements',
    async (_, hasVelocity, nesterov, n) => {
      const step = { ...STEP, nesterov }
      const start = normal(n, 1)
      let expected: SgdState = {
        param: exactly(start),
        velocity: hasVelocity ? new Float64Array(n) : undefined,
      }
      const grads = [2, 3, 4].map((seed) => normal(n, seed))
      const norms = [0.5, 3, 0]
      grads.forEach((grad, i) => {
        expected = sgdReference(expected, exactly(grad), norms[i], step)
      })
      const [param, velocity] = await evaluate(device(), () => {
        const p = device().tensor(start)
        const v = hasVelocity ? device().tensor(new Float32Array(n)) : undefined
        grads.forEach((grad, i) => {
          sgdUpdate(p, device().tensor(grad), v, device().scalar(norms[i]), step)
        })
        return v ? [p, v] : [p]
      })
      expectNear(param, expected.param, { atol: 1e-6 }) // values of size 4, a few roundings each
      if (expected.velocity) expectNear(velocity, expected.velocity, { atol: 1e-6 })
    },
  )

  it('keeps a decay that f32 cannot tell from 1', async () => {
    const step = { ...STEP, lr: 1e-6, weightDecay: 0.03, maxNorm: Infinity }
    const [param] = await evaluate(device(), () => {
      const [p, g] = [1024, 0].map((value) => device().tensor([value]))
      sgdUpdate(p, g, undefined, device().scalar(0), step)
      return [p]
    })
    expectNear(param, [1024 - 1024 * 3e-8], { atol: 3.1e-5 }) // half a unit in the last place below 1024
  })

  it.each([NaN, Infinity, -Infinity])('leaves everything as it was for a norm of %d', async (norm) => {
    const values = [1, 2, 3].map((seed) => normal(37, seed))
    const found = await evaluate(device(), () => {
      const [p, g, v] = values.map((array) => device().tensor(array))
      sgdUpdate(p, g, v, device().scalar(norm), STEP)
      sgdUpdate(p, g, undefined, device().scalar(norm), STEP)
      return [p, g, v]
    })
    expect(found).toEqual(values)
  })

  it('refuses shapes that differ and norms that are no scalar', () => {
    using _scope = device().scope()
    const [p, g, v] = [2, 2, 3].map((n) => device().tensor(new Float32Array(n)))
    const norm = device().scalar(1)
    expect(() => sgdUpdate(p, g, v, norm, STEP)).toThrow('sgdUpdate: shapes must be equal, got [2] and [3]')
    expect(() => sgdUpdate(p, g, g, p, STEP)).toThrow('sgdUpdate: norm must hold one element, got [2]')
  })
})

describe('sgdUpdate', () => {
  itHasTheSameBits((device) => {
    const [p, g, v] = [1, 2, 3].map((seed) => device.tensor(normal(100_003, seed)))
    sgdUpdate(p, g, v, device.scalar(2), { ...STEP, nesterov: true })
    sgdUpdate(p, g, undefined, device.scalar(0.5), STEP)
    return [p, v]
  })
})
