import { expectNear } from '@tau/testing'
import { expect, it } from 'vitest'
import { type SgdState, sgdReference } from '../kernels/sgd/reference.ts'
import { describeKernel, exactly } from '../kernels/testing.ts'
import { Sgd, type SgdOptions } from './index.ts'
import { gradient, gradsOn, names, normOf, parametersOn, rate, readAll, shapes, start } from './testing.ts'

/** Parameters and velocities after some steps in f64. */
function reference(steps: number, options: Required<Omit<SgdOptions, 'groups'>>): Map<string, SgdState> {
  const { gradClip: maxNorm, ...rest } = options
  return new Map(
    names.map((name) => {
      const param = exactly(start(name))
      let state: SgdState = { param, velocity: options.momentum > 0 ? param.map(() => 0) : undefined }
      const weightDecay = shapes[name].length >= 2 ? options.weightDecay : 0
      for (let step = 1; step <= steps; step++)
        state = sgdReference(state, exactly(gradient(name, step)), normOf(step), {
          ...{ ...rest, weightDecay, maxNorm },
          lr: rate(step),
        })
      return [name, state]
    }),
  )
}

describeKernel('Sgd', (device) => {
  const base = { momentum: 0.9, nesterov: false, weightDecay: 0.1, gradClip: 1 }

  it.for([
    ['momentum and clipping at 1', base],
    ['Nesterov momentum, without clipping', { ...base, nesterov: true, gradClip: Number.POSITIVE_INFINITY }],
    ['neither momentum nor decay', { ...base, momentum: 0, weightDecay: 0 }],
  ] as const)('is the f64 definition over 10 steps within 2e-6, %s', async ([, options]) => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = new Sgd(parameters, options)
    const expected = reference(10, options)
    for (let step = 1; step <= 10; step++) optimizer.step(gradsOn(device(), step), rate(step))
    const { tensors } = await optimizer.state()
    expect(tensors.size).toBe(options.momentum > 0 ? names.length : 0)
    const found = await readAll(parameters)
    for (const [name, { param, velocity }] of expected) {
      // 10 roundings of numbers of size up to 10
      expectNear(found[name], param, { atol: 2e-6 })
      if (velocity) expectNear(tensors.get(`velocity.${name}`)?.data ?? [], velocity, { atol: 4e-6 })
    }
  })
})
