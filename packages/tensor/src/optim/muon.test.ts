import { expectNear } from '@tau/testing'
import { expect, it } from 'vitest'
import { describeKernel, exactly } from '../kernels/testing.ts'
import { AdamW, Muon } from './index.ts'
import { orthogonalizeReference } from './reference.ts'
import {
  gradient,
  gradsOn,
  groups,
  names,
  normOf,
  parametersOn,
  rate,
  readAll,
  shapes,
  start,
} from './testing.ts'

const options = { momentum: 0.95, nsSteps: 5, weightDecay: 0.1, gradClip: 1 }
const hidden = groups.flatMap(({ names }) => names)

/** A hidden weight and its velocity after some steps in f64. */
function reference(name: string, steps: number) {
  const { momentum, nsSteps, weightDecay, gradClip } = options
  const [rows, cols] = shapes[name]
  let param = exactly(start(name))
  let velocity = param.map(() => 0)
  for (let step = 1; step <= steps; step++) {
    const clip = Math.min(1, gradClip / (normOf(step) + 1e-6))
    const grad = exactly(gradient(name, step)).map((g) => clip * g)
    velocity = velocity.map((v, i) => momentum * v + grad[i])
    const direction = grad.map((g, i) => g + momentum * velocity[i])
    const { data } = orthogonalizeReference({ rows, cols, data: direction }, nsSteps)
    const factor = 0.2 * Math.sqrt(Math.max(rows, cols))
    param = param.map((p, i) => p - rate(step) * (weightDecay * p + factor * data[i]))
  }
  return { param, velocity }
}

describeKernel('Muon', (device) => {
  it('is the f64 definition for hidden weights over 6 steps within 1e-5', async () => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = new Muon(parameters, { ...options, groups })
    for (let step = 1; step <= 6; step++) {
      const norm = optimizer.step(gradsOn(device(), step), rate(step))
      expectNear(await norm.data(), [normOf(step)], { rtol: 1e-6 })
    }
    const { tensors } = await optimizer.state()
    const found = await readAll(parameters)
    for (const name of hidden) {
      const { param, velocity } = reference(name, 6)
      // Updates of size 0.03 · 0.5, each within 3e-5 of its own size, and roundings of numbers of size 3
      expectNear(found[name], param, { atol: 1e-5 })
      expectNear(tensors.get(`velocity.${name}`)?.data ?? [], velocity, { atol: 2e-6 })
    }
  })

  it('is AdamW for all other parameters, to the bit', async () => {
    using _scope = device().scope()
    const [ours, theirs] = [parametersOn(device()), parametersOn(device())]
    using muon = new Muon(ours, { ...options, beta1: 0.8, groups })
    using adamw = new AdamW(theirs, { weightDecay: 0.1, gradClip: 1, beta1: 0.8 })
    for (let step = 1; step <= 3; step++)
      for (const optimizer of [muon, adamw]) optimizer.step(gradsOn(device(), step), 0.01)
    const [found, expected] = [await readAll(ours), await readAll(theirs)]
    for (const name of names)
      if (hidden.includes(name)) expect(found[name]).not.toEqual(expected[name])
      else expect(found[name]).toEqual(expected[name])
  })

  it('keeps one array for a hidden weight, two for the others', async () => {
    using _scope = device().scope()
    using optimizer = new Muon(parametersOn(device()), { groups })
    const { tensors } = await optimizer.state()
    expect(Array.from(tensors.keys())).toEqual([
      'velocity.wide',
      'velocity.tall',
      ...['embedding', 'vector', 'scalar'].flatMap((name) => [`m.${name}`, `v.${name}`]),
    ])
    expect(optimizer.bytes).toBe(4 * (35 + 33 + 2 * (26 + 17 + 1)))
  })

  it('refuses hidden weights that are no matrices', () => {
    using _scope = device().scope()
    expect(
      () => new Muon(parametersOn(device()), { groups: [{ names: ['vector'], isHidden: true }] }),
    ).toThrow('Muon: hidden weights must be matrices, got vector [17]; take it out of the group')
  })
})
