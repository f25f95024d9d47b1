import { expectNear } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../backends/cpu/cpu.ts'
import type { Device } from '../device.ts'
import type { NamedArray } from '../files/safetensors.ts'
import { addInto } from '../kernels/accumulate/accumulate.ts'
import { div } from '../kernels/binary/binary.ts'
import { describeKernel, itHasTheSameBits, normal } from '../kernels/testing.ts'
import { abs } from '../kernels/unary/unary.ts'
import {
  AdamW,
  type CommonOptions,
  createOptimizer,
  Muon,
  type OptimizerSettings,
  type OptimizerState,
  type OptionSpecs,
  optimizers,
  type ParameterGroup,
  RuleOptimizer,
  Sgd,
  sgdUpdate,
  type UpdateRule,
} from './index.ts'
import {
  gradient,
  gradsOn,
  groups,
  names,
  parametersOn,
  readAll,
  settings,
  shapes,
  start,
} from './testing.ts'

/** The contract of every optimizer, whatever its rule. */
describeKernel('an optimizer', (device) => {
  const common: CommonOptions = { weightDecay: 0.1, gradClip: 1, groups }

  it.for(settings)('%o goes on from a saved state to the same bits', async (choice) => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = createOptimizer(parameters, choice, common)
    for (let step = 1; step <= 3; step++) optimizer.step(gradsOn(device(), step), 0.01)
    const copied = new Map(
      Object.entries(await readAll(parameters)).map(([name, data]) => [
        name,
        device().tensor(data, shapes[name]),
      ]),
    )
    using resumed = createOptimizer(copied, choice, common)
    resumed.restore(await optimizer.state())
    for (let step = 4; step <= 6; step++)
      for (const one of [optimizer, resumed]) one.step(gradsOn(device(), step), 0.01)
    expect(resumed.steps).toBe(6)
    expect(await readAll(copied)).toEqual(await readAll(parameters))
    expect(await resumed.state()).toEqual(await optimizer.state())
  })

  it.for(settings.flatMap((choice) => ['NaN', 'Infinity'].map((bad) => [choice, bad] as const)))(
    '%o changes nothing when a gradient holds %s',
    async ([choice, bad]) => {
      using _scope = device().scope()
      const parameters = parametersOn(device())
      using optimizer = createOptimizer(parameters, choice, common)
      optimizer.step(gradsOn(device(), 1), 0.01)
      const before = [await readAll(parameters), (await optimizer.state()).tensors]
      for (const [i, name] of names.entries()) {
        const grads = gradsOn(device(), 2)
        grads[i] = device().tensor(gradient(name, 2).fill(Number(bad), 0, 1), shapes[name])
        const norm = await optimizer.step(grads, 0.01).item()
        expect(Number.isFinite(norm)).toBe(false)
      }
      expect([await readAll(parameters), (await optimizer.state()).tensors]).toEqual(before)
      expect(optimizer.steps).toBe(1 + names.length)
    },
  )

  it.for(settings)(
    '%o decays parameters of two axes or more, unless a group says otherwise',
    async (choice) => {
      using _scope = device().scope()
      const parameters = parametersOn(device())
      const own: readonly ParameterGroup[] = [
        ...groups,
        { names: ['vector'], weightDecay: 0.4 },
        { names: ['embedding'], weightDecay: 0 },
      ]
      using optimizer = createOptimizer(parameters, choice, { ...common, groups: own })
      const still = names.map((name) => device().tensor(start(name).fill(0), shapes[name]))
      optimizer.step(still, 0.5)
      const found = await readAll(parameters)
      for (const [name, decay] of Object.entries({
        wide: 0.1,
        tall: 0.1,
        vector: 0.4,
        embedding: 0,
        scalar: 0,
      }))
        expectNear(
          found[name],
          start(name).map((x) => x * (1 - 0.5 * decay)),
          { rtol: 2e-7 },
        )
    },
  )

  it.for(settings)('%o multiplies the learning rate by that of the group', async (choice) => {
    using _scope = device().scope()
    const [scaled, plain] = [parametersOn(device()), parametersOn(device())]
    const scaledGroups = [
      { names: ['wide', 'scalar'], lrScale: 0.5, isHidden: false },
      { names: ['tall'], lrScale: 0, isHidden: true },
    ]
    const plainGroups = [{ names: ['tall'], isHidden: true }]
    using one = createOptimizer(scaled, choice, { ...common, groups: scaledGroups })
    using other = createOptimizer(plain, choice, { ...common, groups: plainGroups })
    one.step(gradsOn(device(), 2), 0.02)
    other.step(gradsOn(device(), 2), 0.01)
    const [found, expected] = [await readAll(scaled), await readAll(plain)]
    for (const name of ['wide', 'scalar']) expect(found[name]).toEqual(expected[name])
    expect(found.tall).toEqual(start('tall'))
    expect(found.vector).not.toEqual(expected.vector)
  })
})

describe('an optimizer on one thread and on three', () => {
  for (const choice of settings.slice(0, 3))
    describe(choice.name, () =>
      itHasTheSameBits((device) => {
        const parameters = [1, 2].map((seed) => device.tensor(normal(300 * 131, seed), [300, 131]))
        const optimizer = createOptimizer({ a: parameters[0], b: parameters[1] }, choice, {
          groups: [{ names: ['a'], isHidden: true }],
        })
        for (let step = 1; step <= 2; step++)
          optimizer.step(
            parameters.map((_, i) => device.tensor(normal(300 * 131, 10 * step + i), [300, 131])),
            0.01,
          )
        optimizer[Symbol.dispose]()
        return parameters
      }),
    )
})

describe('an optimizer', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())

  /** Minimises a function of two numbers that is given by its gradient. The rate falls to 0. */
  async function minimise(
    choice: OptimizerSettings,
    lr: number,
    from: readonly [number, number],
    dF: (x: number, y: number) => [number, number],
  ) {
    const isMuon = choice.name === 'muon'
    const shape = isMuon ? [1, 2] : [2]
    const point = device.tensor(from, shape)
    using optimizer = createOptimizer(
      { point },
      choice,
      isMuon ? { groups: [{ names: ['point'], isHidden: true }] } : {},
    )
    const steps = 4000
    for (let step = 0; step < steps; step++) {
      using _scope = device.scope()
      const [x, y] = await point.data()
      optimizer.step([device.tensor(dF(x, y), shape)], lr * (1 - step / steps))
    }
    const found = await point.data()
    point.dispose()
    return found
  }

  // f = (x − 3)² + 100·(y + 2)²
  it.for<[OptimizerSettings, number]>([
    [{ name: 'adamw', beta2: 0.999 }, 0.05],
    [{ name: 'muon' }, 0.05],
    [{ name: 'sgd' }, 1e-3],
  ])('%o with a rate of %d finds the bottom of a narrow parabola', async ([choice, lr]) => {
    const found = await minimise(choice, lr, [-5, 5], (x, y) => [2 * (x - 3), 200 * (y + 2)])
    expectNear(found, [3, -2], { atol: 1e-3 })
  })

  // f = (1 − x)² + 100·(y − x²)²
  it.for<[OptimizerSettings, number]>([
    [{ name: 'adamw', beta2: 0.999 }, 0.05],
    [{ name: 'muon' }, 0.05],
    [{ name: 'sgd', momentum: 0.98 }, 2e-4],
  ])('%o with a rate of %d follows the curved valley of Rosenbrock to (1, 1)', async ([choice, lr]) => {
    const found = await minimise(choice, lr, [-1.2, 1], (x, y) => [
      -2 * (1 - x) - 400 * x * (y - x * x),
      200 * (y - x * x),
    ])
    expectNear(found, [1, 1], { atol: 0.02 })
  })

  it.for(settings)('%o frees its state and nothing else, and leaves nothing behind in a step', (choice) => {
    const before = device.memory.liveBuffers
    const parameters = parametersOn(device)
    const grads = gradsOn(device, 1)
    const held = device.memory
    const made = () => {
      using _scope = device.scope()
      return createOptimizer(parameters, choice, { groups })
    }
    {
      using optimizer = made()
      // The state does not belong to the scope that was open.
      expect(device.memory.liveBytes).toBe(held.liveBytes + optimizer.bytes)
      const { liveBuffers } = device.memory
      const norm = optimizer.step(grads, 0.01)
      expect(device.memory.liveBuffers).toBe(liveBuffers + 1)
      norm.dispose()
    }
    expect(device.memory).toEqual(held)
    for (const tensor of [...parameters.values(), ...grads]) tensor.dispose()
    expect(device.memory.liveBuffers).toBe(before)
  })

  it('frees what it allocated when a parameter is refused', () => {
    using _scope = device.scope()
    const parameters = parametersOn(device)
    const held = device.memory
    const bad = [{ names: ['wide', 'scalar'], isHidden: true }]
    expect(() => new Muon(parameters, { groups: bad })).toThrow('hidden weights must be matrices')
    expect(device.memory).toEqual(held)
  })

  it.for<[OptimizerSettings & CommonOptions, string]>([
    [{ name: 'adamw', beta1: 1 }, 'AdamW: beta1 must be at least 0 and below 1, got 1'],
    [{ name: 'muon', beta2: -0.1 }, 'Muon: beta2 must be at least 0 and below 1, got -0.1'],
    [{ name: 'adamw', eps: 0 }, 'AdamW: eps must be at least 1e-38, got 0'],
    [{ name: 'adamw', eps: Number.NaN }, 'AdamW: eps must be at least 1e-38, got NaN'],
    [{ name: 'adamw', eps: Infinity }, 'AdamW: eps must be at least 1e-38, got Infinity'],
    [{ name: 'muon', nsSteps: 9 }, 'Muon: nsSteps must be a whole number of at least 1 and at most 8, got 9'],
    [
      { name: 'muon', nsSteps: 2.5 },
      'Muon: nsSteps must be a whole number of at least 1 and at most 8, got 2.5',
    ],
    [{ name: 'sgd', momentum: 1 }, 'Sgd: momentum must be at least 0 and below 1, got 1'],
    [{ name: 'sgd', weightDecay: -1 }, 'Sgd: weightDecay must be a finite number of at least 0, got -1'],
    [{ name: 'sgd', gradClip: 0 }, 'Sgd: gradClip must be above 0, got 0; use Infinity for no clipping'],
    [{ name: 'sgd', gradClip: NaN }, 'Sgd: gradClip must be above 0, got NaN; use Infinity for no clipping'],
    [
      { name: 'sgd', groups: [{ names: ['nobody'] }] },
      'Sgd: groups must name parameters, got nobody; see the names of parameters',
    ],
    [
      { name: 'sgd', groups: [{ names: ['wide'] }, { names: ['tall', 'wide'] }] },
      'Sgd: a parameter must be in one group, got wide in two; take it out of one',
    ],
    [
      { name: 'sgd', groups: [{ names: ['wide'], lrScale: -1 }] },
      'Sgd: lrScale must be a finite number of at least 0, got -1',
    ],
  ])('refuses %o', ([{ weightDecay, gradClip, groups, ...choice }, message]) => {
    using _scope = device.scope()
    const wrong = Object.fromEntries(
      Object.entries({ weightDecay, gradClip, groups }).filter(([, value]) => value !== undefined),
    )
    expect(() => createOptimizer(parametersOn(device), choice, wrong)).toThrow(message)
  })

  it('refuses names and options that JavaScript lets through', () => {
    using _scope = device.scope()
    const parameters = parametersOn(device)
    const create = (choice: object) => () =>
      createOptimizer(parameters, Object.assign({ name: 'sgd' } as const, choice))
    expect(create({ name: 'lion' })).toThrow('optimizer: name must be one of adamw, muon, sgd, got lion')
    expect(create({ name: 'toString' })).toThrow('optimizer: name must be one of')
    expect(create({ beta1: 0.9 })).toThrow(
      'Sgd: options must be among momentum, nesterov, got beta1; leave it out',
    )
    expect(create({ nesterov: 1 })).toThrow('Sgd: nesterov must be true or false, got 1')
    expect(create({ momentum: '0.9' })).toThrow('Sgd: momentum must be at least 0 and below 1, got 0.9')
  })

  it('refuses no parameters, and gradients of another number or shape', () => {
    using _scope = device.scope()
    expect(() => new Sgd({})).toThrow('Sgd: at least one parameter must be given, got none')
    using optimizer = new AdamW(parametersOn(device))
    const grads = gradsOn(device, 1)
    expect(() => optimizer.step(grads.slice(1), 0.1)).toThrow(
      'AdamW: grads must hold one gradient per parameter, got 4 for 5',
    )
    expect(() => optimizer.step(grads.toReversed(), 0.1)).toThrow('[5, 7]')
    expect(() => optimizer.step(grads, Number.NaN)).toThrow(
      'AdamW: the learning rate must be a finite number, got NaN; write step(grads, lr)',
    )
    expect(() => Reflect.apply(optimizer.step, optimizer, [grads])).toThrow('finite number, got undefined')
    expect(() => Reflect.apply(optimizer.step, optimizer, [])).toThrow(
      'AdamW: gradients must be an array, got undefined; pass what grad returned',
    )
    expect(() => Reflect.construct(Sgd, [])).toThrow('Sgd: parameters must be tensors by name, got undefined')
    expect(optimizer.steps).toBe(0)
  })

  it.for<[string, (state: Map<string, NamedArray>) => void, string]>([
    ['is missing', (state) => state.delete('v.vector'), 'v.vector of 17 floats, got no such array'],
    [
      'is short',
      (state) => state.set('m.wide', { shape: [34], data: new Float32Array(34) }),
      'm.wide of 35 floats, got 34 floats',
    ],
    [
      'is not of floats',
      (state) => state.set('m.scalar', { shape: [], data: new Int32Array(1) }),
      'm.scalar of 1 floats, got 1 of Int32Array',
    ],
  ])('keeps its state when a saved array %s', async ([, spoil, message]) => {
    using _scope = device.scope()
    using optimizer = new AdamW(parametersOn(device))
    optimizer.step(gradsOn(device, 1), 0.1)
    const before = await optimizer.state()
    const tensors = new Map(
      Array.from(before.tensors, ([name, { shape, data }]) => [
        name,
        { shape, data: new Float32Array(data.length) },
      ]),
    )
    spoil(tensors)
    expect(() => optimizer.restore({ ...before, counts: { steps: 7 }, tensors })).toThrow(
      `AdamW: saved state must hold ${message}; the checkpoint belongs to another model`,
    )
    expect(optimizer.steps).toBe(1)
    expect(await optimizer.state()).toEqual(before)
  })

  it.for<[Partial<OptimizerState>, string]>([
    [{ counts: { steps: -1 } }, 'AdamW: steps must be a whole number of at least 0, got -1'],
    [{ counts: {} }, 'AdamW: steps must be a whole number of at least 0, got undefined'],
    [{ optimizer: 'muon' }, 'AdamW: saved state must be of adamw, got state of muon; continue with muon'],
  ])('keeps its state when it is to be %o', async ([wrong, message]) => {
    using _scope = device.scope()
    using optimizer = new AdamW(parametersOn(device))
    const before = await optimizer.state()
    expect(() => optimizer.restore({ ...before, ...wrong })).toThrow(message)
    expect(await optimizer.state()).toEqual(before)
  })
})

describe("a rule of one's own", () => {
  /** Steps along the sign of the gradient's running mean. */
  const signs = {
    name: 'signs',
    title: 'Signs',
    help: 'signs of the mean gradient',
    options: {
      keep: { kind: 'number', default: 0.5, min: 0, below: 1, help: 'Share of the mean that stays' },
    },
    slots: ({ tensor }) => ({ mean: tensor.shape }),
    update({ parameter, grad, slots, norm }, { lr, maxNorm }, { keep }) {
      using _scope = parameter.tensor.device.scope()
      // Without a learning rate only the velocity moves.
      const still = { lr: 0, momentum: keep, nesterov: false, weightDecay: 0, maxNorm }
      sgdUpdate(parameter.tensor, grad, slots.mean, norm, still)
      addInto(parameter.tensor, div(slots.mean, abs(slots.mean)), -lr)
    },
  } as const satisfies UpdateRule<OptionSpecs>

  it('has groups, state and checked options without more', async () => {
    const device = await cpu({ threads: 1 })
    const parameters = { a: device.tensor([1, 2]), b: device.tensor([3]) }
    using optimizer = new RuleOptimizer(signs, parameters, { groups: [{ names: ['b'], lrScale: 2 }] })
    using norm = optimizer.step([device.tensor([3, -0.1]), device.tensor([4])], 0.5)
    expect(await norm.item()).toBeCloseTo(Math.hypot(3, 0.1, 4), 6)
    expect([await parameters.a.data(), await parameters.b.data()]).toEqual([
      Float32Array.of(0.5, 2.5),
      Float32Array.of(2),
    ])
    expect(Array.from((await optimizer.state()).tensors.keys())).toEqual(['mean.a', 'mean.b'])
    expect(() => new RuleOptimizer(signs, parameters, { keep: 1 })).toThrow(
      'Signs: keep must be at least 0 and below 1, got 1',
    )
    await device.close()
  })
})

describe('optimizers', () => {
  it('are found by the names that checkpoints hold, and options of one name mean the same', () => {
    const seen = new Map<string, object>()
    for (const [name, rule] of Object.entries(optimizers)) {
      expect(rule.name).toBe(name)
      for (const [option, { default: _, ...spec }] of Object.entries(rule.options)) {
        expect(spec, option).toEqual(seen.get(option) ?? spec)
        seen.set(option, spec)
      }
    }
  })
})
