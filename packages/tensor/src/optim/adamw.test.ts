import { expectNear } from '@tau/testing'
import { expect, it } from 'vitest'
import { type AdamWState, adamwReference } from '../kernels/adamw/reference.ts'
import { describeKernel, exactly } from '../kernels/testing.ts'
import { AdamW, type AdamWOptions } from './index.ts'
import { gradient, gradsOn, names, normOf, parametersOn, rate, readAll, shapes, start } from './testing.ts'

/** Parameters and moments after some steps in f64. */
function reference(steps: number, options: Required<Omit<AdamWOptions, 'groups'>>): Map<string, AdamWState> {
  const { gradClip: maxNorm, ...rest } = options
  return new Map(
    names.map((name) => {
      const param = exactly(start(name))
      let state: AdamWState = { param, m: param.map(() => 0), v: param.map(() => 0) }
      const weightDecay = shapes[name].length >= 2 ? options.weightDecay : 0
      for (let step = 1; step <= steps; step++)
        state = adamwReference(state, exactly(gradient(name, step)), normOf(step), {
          ...{ ...rest, weightDecay, maxNorm, step },
          lr: rate(step),
        })
      return [name, state]
    }),
  )
}

describeKernel('AdamW', (device) => {
  const base = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, gradClip: 1 }

  it.for([
    ['clipping at 1', base],
    ['without clipping', { ...base, gradClip: Number.POSITIVE_INFINITY }],
    ['without decay and with slow moments', { ...base, weightDecay: 0, beta2: 0.999, eps: 1e-3 }],
  ] as const)('is the f64 definition over 10 steps within 2e-6, %s', async ([, options]) => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = new AdamW(parameters, options)
    const expected = reference(10, options)
    for (let step = 1; step <= 10; step++) {
      const norm = optimizer.step(gradsOn(device(), step), rate(step))
      expectNear(await norm.data(), [normOf(step)], { rtol: 1e-6 })
    }
    expect(optimizer.steps).toBe(10)
    const { tensors } = await optimizer.state()
    const found = await readAll(parameters)
    for (const [name, { param, m, v }] of expected) {
      // 10 roundings of numbers of size up to 3, each 1.2e-7
      expectNear(found[name], param, { atol: 2e-6 })
      expectNear(tensors.get(`m.${name}`)?.data ?? [], m, { atol: 2e-7, rtol: 2e-6 })
      expectNear(tensors.get(`v.${name}`)?.data ?? [], v, { atol: 2e-7, rtol: 3e-6 })
    }
  })
})
