import { cpu, type Device, gpu, type Tensor } from '@tau/tensor'
import type { NamedArray } from '@tau/tensor/files'
import { describeDevices, expectNear, randomArray } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AdamW, type AdamWOptions } from './adamw.ts'

const options: AdamWOptions = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, gradClip: 1 }

/** A matrix, a vector and a scalar: only the first decays. */
const shapes: Record<string, readonly number[]> = { matrix: [5, 7], vector: [11], scalar: [] }
const names = Object.keys(shapes)
const sizeOf = (name: string) => shapes[name].reduce((size, axis) => size * axis, 1)
const start = (name: string, i: number) => Float32Array.from(randomArray(sizeOf(name), 31 + i))
/** Gradients of one step: the first step's norm is 0.07, the others' about 7, so that some are clipped and some are not. */
const gradient = (name: string, step: number) =>
  Float32Array.from(randomArray(sizeOf(name), 1000 * step + sizeOf(name)), (x) => x * (step === 1 ? 0.01 : 1))

const parametersOn = (device: Device) =>
  new Map(names.map((name, i) => [name, device.tensor(start(name, i), shapes[name])]))

const gradsOn = (device: Device, step: number) =>
  names.map((name) => device.tensor(gradient(name, step), shapes[name]))

async function readAll(parameters: ReadonlyMap<string, Tensor>): Promise<Record<string, Float32Array>> {
  const out: Record<string, Float32Array> = {}
  for (const [name, tensor] of parameters) out[name] = await tensor.data()
  return out
}

/** The textbook in f64: clip, moments, bias correction, decoupled decay. */
function plainAdamW(steps: number, lr: (step: number) => number, { gradClip, ...made }: AdamWOptions) {
  const { beta1, beta2, eps } = made
  const state = names.map((name, i) => ({
    name,
    p: Array.from(start(name, i)),
    m: new Array<number>(sizeOf(name)).fill(0),
    v: new Array<number>(sizeOf(name)).fill(0),
  }))
  const norms: number[] = []
  for (let t = 1; t <= steps; t++) {
    const norm = Math.hypot(...names.flatMap((name) => Array.from(gradient(name, t))))
    const clip = Math.min(1, gradClip / (norm + 1e-6))
    norms.push(norm)
    for (const { name, p, m, v } of state) {
      const decay = shapes[name].length >= 2 ? made.weightDecay : 0
      gradient(name, t).forEach((raw, i) => {
        const g = raw * clip
        m[i] = beta1 * m[i] + (1 - beta1) * g
        v[i] = beta2 * v[i] + (1 - beta2) * g * g
        const change = m[i] / (1 - beta1 ** t) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + eps)
        p[i] -= lr(t) * (change + decay * p[i])
      })
    }
  }
  return { state, norms }
}

describeDevices('AdamW', { cpu, gpu }, (device) => {
  const lr = (step: number) => 0.03 / step

  it.for([
    ['clipping at 1', options],
    ['without clipping', { ...options, gradClip: Number.POSITIVE_INFINITY }],
    ['without decay and with slow moments', { ...options, weightDecay: 0, beta2: 0.999, eps: 1e-3 }],
  ] as const)('is the f64 definition over 10 steps within 2e-6, %s', async ([, made]) => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = new AdamW(parameters, made)
    const expected = plainAdamW(10, lr, made)
    for (let step = 1; step <= 10; step++) {
      const norm = optimizer.step(gradsOn(device(), step), lr(step))
      expectNear(await norm.data(), [expected.norms[step - 1]], { rtol: 1e-6 })
    }
    expect(optimizer.steps).toBe(10)
    const state = await optimizer.state()
    for (const { name, p, m, v } of expected.state) {
      // 10 roundings of numbers of size up to 3, each 1.2e-7
      expectNear((await readAll(parameters))[name], p, { atol: 2e-6 })
      expectNear(state.get(`m.${name}`)?.data ?? [], m, { atol: 2e-7, rtol: 2e-6 })
      expectNear(state.get(`v.${name}`)?.data ?? [], v, { atol: 2e-7, rtol: 3e-6 })
    }
  })

  it('decays parameters of two axes or more, and no others', async () => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = new AdamW(parameters, options)
    const still = names.map((name) => device().tensor(new Float32Array(sizeOf(name)), shapes[name]))
    optimizer.step(still, 0.5)
    const { matrix, vector, scalar } = await readAll(parameters)
    const [before, ...others] = names.map(start)
    expectNear(
      matrix,
      before.map((x) => x * (1 - 0.5 * 0.1)),
      { rtol: 2e-7 },
    )
    expect([vector, scalar]).toEqual(others)
  })

  it.for(['NaN', 'Infinity'])('changes nothing when a gradient holds %s', async (bad) => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = new AdamW(parameters, options)
    optimizer.step(gradsOn(device(), 1), 0.01)
    const before = [await readAll(parameters), await optimizer.state()]
    const grads = gradsOn(device(), 2)
    grads[1] = device().tensor(gradient('vector', 2).fill(Number(bad), 3, 4), shapes.vector)
    const norm = await optimizer.step(grads, 0.01).item()
    expect(Number.isFinite(norm)).toBe(false)
    expect([await readAll(parameters), await optimizer.state()]).toEqual(before)
  })

  it('goes on from a saved state to the same bits', async () => {
    using _scope = device().scope()
    const parameters = parametersOn(device())
    using optimizer = new AdamW(parameters, options)
    for (let step = 1; step <= 3; step++) optimizer.step(gradsOn(device(), step), 0.01)
    const copied = new Map(
      Object.entries(await readAll(parameters)).map(([name, data]) => [
        name,
        device().tensor(data, shapes[name]),
      ]),
    )
    using resumed = new AdamW(copied, options)
    resumed.restore(await optimizer.state(), optimizer.steps)
    for (let step = 4; step <= 6; step++) {
      optimizer.step(gradsOn(device(), step), 0.01)
      resumed.step(gradsOn(device(), step), 0.01)
    }
    expect(resumed.steps).toBe(6)
    expect(await readAll(copied)).toEqual(await readAll(parameters))
    expect(await resumed.state()).toEqual(await optimizer.state())
  })
})

describe('AdamW', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())

  /** Minimises a function of two numbers that is given by its gradient. */
  async function minimise(dF: (x: number, y: number) => [number, number], from: [number, number]) {
    const point = device.tensor(from)
    using optimizer = new AdamW(new Map([['point', point]]), { ...options, gradClip: Infinity, beta2: 0.999 })
    const steps = 4000
    for (let step = 0; step < steps; step++) {
      using _scope = device.scope()
      const [x, y] = await point.data()
      optimizer.step([device.tensor(dF(x, y))], 0.05 * (1 - step / steps))
    }
    const found = await point.data()
    point.dispose()
    return found
  }

  it('finds the bottom of a narrow parabola', async () => {
    // f = (x − 3)² + 100·(y + 2)²
    const found = await minimise((x, y) => [2 * (x - 3), 200 * (y + 2)], [-5, 5])
    expectNear(found, [3, -2], { atol: 1e-3 })
  })

  it('follows the curved valley of Rosenbrock to (1, 1)', async () => {
    // f = (1 − x)² + 100·(y − x²)²
    const dF = (x: number, y: number): [number, number] => [
      -2 * (1 - x) - 400 * x * (y - x * x),
      200 * (y - x * x),
    ]
    expectNear(await minimise(dF, [-1.2, 1]), [1, 1], { atol: 0.02 })
  })

  it('frees its moments and nothing else', () => {
    const before = device.memory.liveBuffers
    const parameters = parametersOn(device)
    const made = () => {
      using _scope = device.scope()
      return new AdamW(parameters, options)
    }
    {
      using _optimizer = made()
      // two moments each, which do not belong to the scope that was open
      expect(device.memory.liveBuffers).toBe(before + 3 * names.length)
    }
    expect(device.memory.liveBuffers).toBe(before + names.length)
    for (const tensor of parameters.values()) tensor.dispose()
  })

  it.for<[Partial<AdamWOptions>, string]>([
    [{ beta1: 1 }, 'AdamW: beta1 must be at least 0 and below 1, got 1'],
    [{ beta2: -0.1 }, 'AdamW: beta2 must be at least 0 and below 1, got -0.1'],
    [{ eps: 0 }, 'AdamW: eps must be at least 1e-38 to be above 0 in f32, got 0'],
    [{ eps: Number.NaN }, 'AdamW: eps must be a finite number of at least 0, got NaN'],
    [{ weightDecay: -1 }, 'AdamW: weightDecay must be a finite number of at least 0, got -1'],
    [{ gradClip: 0 }, 'AdamW: gradClip must be above 0, got 0; use Infinity for no clipping'],
    [{ gradClip: Number.NaN }, 'AdamW: gradClip must be above 0, got NaN; use Infinity for no clipping'],
  ])('refuses %o', ([wrong, message]) => {
    using _scope = device.scope()
    expect(() => new AdamW(parametersOn(device), { ...options, ...wrong })).toThrow(message)
  })

  it('refuses no parameters, and gradients of another number or shape', () => {
    using _scope = device.scope()
    expect(() => new AdamW(new Map(), options)).toThrow('at least one parameter must be given, got none')
    using optimizer = new AdamW(parametersOn(device), options)
    const grads = gradsOn(device, 1)
    expect(() => optimizer.step(grads.slice(1), 0.1)).toThrow(
      'AdamW: a gradient per parameter must be given, got 2 for 3',
    )
    expect(() => optimizer.step(grads.toReversed(), 0.1)).toThrow('[5, 7]')
    expect(optimizer.steps).toBe(0)
  })

  it.for<[string, (state: Map<string, NamedArray>) => void, string]>([
    ['is missing', (state) => state.delete('v.vector'), 'v.vector of 11 floats, got no such array'],
    [
      'is short',
      (state) => state.set('m.matrix', { shape: [34], data: new Float32Array(34) }),
      'm.matrix of 35 floats, got 34 floats',
    ],
    [
      'is not of floats',
      (state) => state.set('m.scalar', { shape: [], data: new Int32Array(1) }),
      'm.scalar of 1 floats, got 1 of Int32Array',
    ],
  ])('keeps its state when a saved array %s', async ([, spoil, message]) => {
    using _scope = device.scope()
    using optimizer = new AdamW(parametersOn(device), options)
    optimizer.step(gradsOn(device, 1), 0.1)
    const before = await optimizer.state()
    const saved = new Map(
      Array.from(before, ([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
    )
    spoil(saved)
    expect(() => optimizer.restore(saved, 7)).toThrow(
      `AdamW: saved state must hold ${message}; the checkpoint belongs to another model`,
    )
    expect(() => optimizer.restore(before, -1)).toThrow(
      'AdamW: steps must be a whole number of at least 0, got -1',
    )
    expect(optimizer.steps).toBe(1)
    expect(await optimizer.state()).toEqual(before)
  })
})
