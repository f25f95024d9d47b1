import { LaplacianTensor } from '@tau/attention'
import { csrFromDense } from '@tau/graph'
import { cpu, type Device, gpu, grad, type Tensor } from '@tau/tensor'
import { describeDevices, expectNear } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelOptions } from './config/config.ts'
import { createModel } from './create.ts'
import { GPT } from './gpt.ts'
import { initParameters } from './parameters/parameters.ts'
import { parameterValues, randomIds, randomLaplacian, tiny, tinyModel } from './testing.ts'

const BATCH = 2
const LENGTH = 11

describeDevices(
  'GPT',
  { cpu, gpu },
  (device) => {
    it.for<[string, ModelOptions]>([
      ['tau default', { attention: 'tau', preset: 'default' }],
      ['tau paper', { attention: 'tau', preset: 'paper' }],
      ['dot default', { attention: 'dot', preset: 'default' }],
      ['dot paper', { attention: 'dot', preset: 'paper' }],
    ])('%s starts at a loss of ln V', async ([, options]) => {
      const vocabSize = 251
      using scope = device().scope()
      using model = await tinyModel(device(), { ...options, vocabSize }, { perturb: false })
      const ids = randomIds(BATCH * LENGTH, vocabSize)
      const targets = randomIds(BATCH * LENGTH, vocabSize, 13)
      const loss = model.loss(model.tokens(ids, BATCH), model.targets(targets, BATCH))
      expect(loss.shape).toEqual([])
      expect(Math.abs((await loss.item()) / Math.log(vocabSize) - 1)).toBeLessThan(0.005)
      void scope
    })

    it.for<[string, ModelOptions]>([
      ['tau', {}],
      ['tau of each vector', { preset: 'paper', tauMode: 'reference-median' }],
      ['dot', { attention: 'dot' }],
    ])('%s: a later token changes no earlier logit, a sequence no other', async ([, options]) => {
      const { vocabSize } = tiny
      using model = await tinyModel(device(), options)
      const ids = randomIds(BATCH * LENGTH, vocabSize)
      const logits = async (tokens: Int32Array) => {
        using scope = device().scope()
        const out = model.forward(model.tokens(tokens, BATCH))
        expect(out.shape).toEqual([BATCH, LENGTH, vocabSize])
        const read = out.data()
        void scope
        return read
      }
      const before = await logits(ids)
      for (const at of [1, 7, LENGTH - 1]) {
        const changed = ids.with(at, (ids[at] + 1) % vocabSize)
        const after = await logits(changed)
        const past = at * vocabSize
        const sequence = LENGTH * vocabSize
        expect(after.subarray(0, past)).toEqual(before.subarray(0, past))
        expect(after.subarray(sequence)).toEqual(before.subarray(sequence))
        for (let t = at; t < LENGTH; t++) {
          const row = [t * vocabSize, (t + 1) * vocabSize] as const
          // Token shift and decay also carry a token to later positions. Without them each later query still
          // sees its key.
          expect(after.subarray(...row), `position ${t}`).not.toEqual(before.subarray(...row))
        }
      }
    })

    it('takes the soft cap off and keeps to the hard one', async () => {
      using scope = device().scope()
      using model = await tinyModel(device())
      const head = model.parameters.get('lm_head.weight')
      head?.write((await head.data()).map((value) => 200 * value))
      const tokens = model.tokens(randomIds(LENGTH, tiny.vocabSize))
      const hard = await model.forward(tokens, { softcap: false }).data()
      const soft = await model.forward(tokens).data()
      expect(Math.max(...hard)).toBe(50)
      expect(Math.min(...hard)).toBe(-50)
      expectNear(
        soft,
        hard.map((logit) => 15 * Math.tanh(logit / 15)),
        { atol: 1e-5 },
      )
      void scope
    })

    it('lastOnly gives the last position’s logits', async () => {
      using scope = device().scope()
      using model = await tinyModel(device())
      const tokens = model.tokens(randomIds(BATCH * LENGTH, tiny.vocabSize), BATCH)
      const all = await model.forward(tokens).data()
      const last = model.forward(tokens, { lastOnly: true })
      expect(last.shape).toEqual([BATCH, 1, tiny.vocabSize])
      const rows = [LENGTH - 1, 2 * LENGTH - 1].flatMap((row) =>
        Array.from(all.subarray(row * tiny.vocabSize, (row + 1) * tiny.vocabSize)),
      )
      expectNear(await last.data(), rows, { atol: 1e-5 }) // other rows of a matmul, other order of its sums
      void scope
    })

    it('targets of −1 do not count', async () => {
      using scope = device().scope()
      using model = await tinyModel(device())
      const ids = randomIds(LENGTH, tiny.vocabSize)
      const targets = randomIds(LENGTH, tiny.vocabSize, 13)
      const loss = (chosen: Int32Array) => model.loss(model.tokens(ids), model.targets(chosen)).item()
      const only = (at: number) => loss(targets.map((id, i) => (i === at ? id : -1)))
      const each = await Promise.all(Array.from(targets.keys(), only))
      expect(await loss(targets)).toBeCloseTo(each.reduce((sum, x) => sum + x, 0) / LENGTH, 5)
      expect(new Set(each).size).toBe(LENGTH)
      void scope
    })

    it('gives back every buffer', async () => {
      const { liveBuffers, liveBytes } = device().memory
      const model = await tinyModel(device())
      let held = 0
      for (let step = 0; step < 3; step++) {
        {
          using scope = device().scope()
          const tokens = model.tokens(randomIds(LENGTH, tiny.vocabSize))
          model.forward(tokens, { probe: () => {} })
          grad(() => model.loss(tokens, tokens), Array.from(model.parameters.values()))
          using state = model.decodeState()
          model.forward(tokens, { state })
          model.forward(model.tokens(Int32Array.of(1)), { state })
          void scope
        }
        // RoPE's angles of this length are made once and stay.
        if (step === 0) held = device().memory.liveBuffers
        expect(device().memory.liveBuffers).toBe(held)
      }
      expect(held).toBeGreaterThan(liveBuffers)
      await model.attention[0].scalars()
      expect(device().memory.liveBuffers).toBe(held)
      model[Symbol.dispose]()
      expect(device().memory).toEqual({ liveBuffers, liveBytes })
    })

    it('shows each layer’s q, k, λ and decay, and its scalars', async () => {
      using scope = device().scope()
      using model = await tinyModel(device(), {}, { perturb: false })
      const seen: Record<string, unknown>[] = []
      const decays: Tensor[] = []
      model.forward(model.tokens(randomIds(BATCH * LENGTH, tiny.vocabSize), BATCH), {
        probe: ({ layer, q, k, values: { lambdaQ, lambdaK }, logDecay }) => {
          seen.push({ layer, q: q.shape, k: k.shape, lambdaQ: lambdaQ.shape, lambdaK: lambdaK.shape })
          if (logDecay) decays.push(logDecay)
        },
      })
      const shapes = { q: [2, 6, 11, 10], k: [2, 3, 11, 10], lambdaQ: [2, 6, 11], lambdaK: [2, 3, 11] }
      expect(seen).toEqual([
        { layer: 0, ...shapes },
        { layer: 1, ...shapes },
      ])
      // At the start the gate's weights are 0: head h of bias ½ + h runs at softplus(−½ − h) per token.
      const expected = Array.from({ length: BATCH * 6 * LENGTH }, (_, i) => {
        const head = Math.floor(i / LENGTH) % 6
        return Math.log1p(Math.exp(-0.5 - head)) * ((i % LENGTH) + 1)
      })
      for (const decay of decays) expectNear(await decay.data(), expected, { atol: 1e-6, rtol: 1e-6 })
      expect(decays).toHaveLength(2)
      const { temperature, tau } = await model.attention[1].scalars()
      expectNear(temperature, new Array(6).fill(0.05), { rtol: 1e-6 })
      expectNear(tau, new Array(3).fill(1), { rtol: 1e-6 })
      void scope
    })
  },
  ['cpu plain 1 thread', 'cpu relaxed 2 threads', 'gpu.js cpu'],
)

describe('scalars of models without them', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())

  it.for<[string, ModelOptions, number, number]>([
    ['given', { preset: 'paper', temperature: 0.5, tau: 2 }, 6, 3],
    ['τ of each vector', { preset: 'paper', tauMode: 'reference-mean' }, 6, 0],
    ['dot products', { attention: 'dot' }, 0, 0],
  ])('%s', async ([, options, temperatures, taus]) => {
    using model = await tinyModel(device, options, { perturb: false })
    const { temperature = [], tau = [] } = await model.attention[0].scalars()
    expect(temperature).toEqual(new Array(temperatures).fill(model.config.temperature))
    expect(tau).toEqual(new Array(taus).fill(model.config.tau))
  })
})

describe('one thread and two', () => {
  it.for(['tau', 'dot'] as const)('make the same bits of %s', async (attention) => {
    // Large enough that every kernel has several tiles.
    const options = {
      attention,
      vocabSize: 509,
      seqLen: 131,
      nEmbd: 96,
      nHead: 6,
      nKvHead: 3,
      manifoldDim: 38,
    }
    const run = async (threads: number) => {
      const device = await cpu({ threads })
      expect(device.info.threads).toBe(threads)
      try {
        using scope = device.scope()
        using model = await tinyModel(device, options)
        const ids = randomIds(3 * 131, 509)
        const targets = model.targets(randomIds(3 * 131, 509, 13), 3)
        const { value, grads } = grad(
          () => model.loss(model.tokens(ids, 3), targets),
          Array.from(model.parameters.values()),
        )
        const names = Array.from(model.parameters.keys())
        const gradients = await parameterValues(new Map(names.map((name, i) => [name, grads[i]])))
        void scope
        return { loss: await value.item(), gradients }
      } finally {
        await device.close()
      }
    }
    const one = await run(1)
    expect(Number.isFinite(one.loss)).toBe(true)
    expect(await run(2)).toEqual(one)
  })
})

describe('what a model refuses', () => {
  let device: Device
  let model: GPT
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
    model = await tinyModel(device)
  })
  afterAll(async () => {
    model[Symbol.dispose]()
    await device.close()
  })

  it.for<[string, number[], number, string]>([
    ['an id beyond the vocabulary', [3, 23, 5], 1, 'ids must be between 0 and 22'],
    ['a negative id', [3, 5, -2], 1, 'ids must be between 0 and 22'],
    ['no ids', [], 1, 'ids must fill 1 sequences of equal length, at least one token each, got 0 ids'],
    ['ids that do not fill the batch', [1, 2, 3], 2, 'ids must fill 2 sequences of equal length'],
    ['a batch of nothing', [1, 2, 3], 0, 'ids must fill 0 sequences'],
    ['half a batch', [1, 2, 3], 1.5, 'ids must fill 1.5 sequences'],
    ['a negative batch', [1, 2], -2, 'ids must fill -2 sequences'],
  ])('as tokens and as targets: %s', ([, ids, batch, message]) => {
    const { liveBuffers } = device.memory
    expect(() => model.tokens(Int32Array.from(ids), batch)).toThrow(`tokens: ${message}`)
    expect(() => model.targets(Int32Array.from(ids), batch)).toThrow(`targets: ${message}`)
    expect(device.memory.liveBuffers).toBe(liveBuffers)
  })

  it('says which id, and that −1 is for targets only', () => {
    expect(() => model.tokens(Int32Array.of(3, 23))).toThrow('got 23 at 1; use the model’s'.replace('’', "'"))
    expect(() => model.tokens(Int32Array.of(-1, 3))).toThrow(
      'tokens: ids must be between 0 and 22, got -1 at 0',
    )
    expect(() => model.tokens([3, 2.5])).toThrow('tokens: ids must be between 0 and 22, got 2.5 at 1')
    expect(() => model.targets(Int32Array.of(-1, 23))).toThrow('between 0 and 22, or -1 to skip, got 23 at 1')
  })

  it('a sequence longer than seqLen, in one piece or in several', () => {
    using scope = device.scope()
    const long = model.tokens(randomIds(14, 23))
    const message = 'forward: sequence must have at most seqLen = 13 tokens, got 14; shorten it'
    expect(() => model.forward(long)).toThrow(message)
    using state = model.decodeState()
    model.forward(model.tokens(randomIds(13, 23)), { state })
    expect(() => model.forward(model.tokens(Int32Array.of(1)), { state })).toThrow(message)
    expect(state.length).toBe(13)
    void scope
  })

  it('tokens of another shape', () => {
    using scope = device.scope()
    const rule = 'forward: tokens must be [batch, length], with batch and length at least 1, got'
    expect(() => model.forward(device.tensor(Int32Array.of(1, 2)))).toThrow(`${rule} [2]`)
    for (const [given, found] of [
      [[1, 2, 3], 'object'],
      [device.tensor([1, 2, 3]), 'f32'],
    ])
      expect(() => Reflect.apply(model.forward, model, [given])).toThrow(
        `forward: tokens must be an i32 tensor, got ${found}; model.tokens(ids) makes one`,
      )
    expect(() => model.forward(device.tensor(new Int32Array(0), [1, 0]))).toThrow(`${rule} [1, 0]`)
    const tokens = model.tokens(Int32Array.of(1, 2))
    expect(() => model.loss(tokens, model.targets(Int32Array.of(1, 2, 3)))).toThrow(
      'linearCrossEntropy: targets must have the shape of x without the last axis, got [1, 3] for [1, 2, 12]',
    )
    void scope
  })

  it('a state of another batch or another model', async () => {
    using scope = device.scope()
    using other = await tinyModel(device, { nLayer: 3 })
    using foreign = other.decodeState()
    const tokens = model.tokens(Int32Array.of(1, 2))
    expect(() => model.forward(tokens, { state: foreign })).toThrow(
      'forward: state must come from decodeState of this model, got the state of another model with 3 layers',
    )
    using pair = model.decodeState(2)
    expect(() => model.forward(tokens, { state: pair })).toThrow(
      "forward: tokens must continue the state's 2 sequences, got 1",
    )
    expect(() => model.decodeState(0)).toThrow('batch 0')
    void scope
  })

  it('gradients through a state, which keeps no tape', () => {
    using scope = device.scope()
    using state = model.decodeState()
    const tokens = model.tokens(Int32Array.of(1, 2))
    const watched = Array.from(model.parameters.values())
    expect(() => grad(() => model.loss(tokens, tokens, { state }), watched)).toThrow(
      'TauCache.append: this operation has no gradient',
    )
    void scope
  })

  it('to be used once disposed', async () => {
    const gone = await tinyModel(device)
    const tokens = gone.tokens(Int32Array.of(1))
    gone[Symbol.dispose]()
    expect(() => gone.forward(tokens)).toThrow('[23, 12] f32 was disposed')
    tokens.dispose()
  })
})

describe('a model that cannot be made', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())

  const lopsided = () => {
    const data = new Float64Array(100)
    data[0] = data[11] = 1
    data[1] = -1
    data[10] = -0.5
    return csrFromDense({ data, rows: 10, cols: 10 })
  }
  it.for<[string, Parameters<typeof createModel>[2], string]>([
    ['no Laplacian', {}, 'GPT: tau attention must have a Laplacian, got none; build one with buildManifold'],
    [
      'a Laplacian of another size',
      { laplacian: randomLaplacian(12) },
      'GPT: Laplacian must be [manifoldDim, manifoldDim] = [10, 10], got [12, 12]; build it for this dimension',
    ],
    [
      'a matrix that is not symmetric',
      { laplacian: lopsided() },
      'the matrix must be symmetric, got -1 at (0, 1) and -0.5 at (1, 0)',
    ],
    [
      'a seed below 0',
      { laplacian: randomLaplacian(10), seed: -1 },
      'seed must be a whole number from 0 to 2^53 - 1, got -1',
    ],
  ])('for %s keeps no memory', ([, options, message]) => {
    const before = device.memory
    expect(() => createModel(device, tiny, options)).toThrow(message)
    expect(device.memory).toEqual(before)
    using scope = device.scope()
    expect(() => createModel(device, tiny, options)).toThrow(message)
    expect(device.memory).toEqual(before)
    void scope
  })

  it('lives on when the scope closes that it was made in, and dot attention needs no Laplacian', () => {
    const before = device.memory
    let model: GPT
    {
      using scope = device.scope()
      model = createModel(device, { ...tiny, attention: 'dot' }, { laplacian: randomLaplacian(4) })
      void scope
    }
    expect(model.laplacian).toBeUndefined()
    expect(device.memory.liveBuffers - before.liveBuffers).toBe(model.parameters.size)
    model[Symbol.dispose]()
    expect(device.memory).toEqual(before)
  })

  it('of foreign parameters says which', async () => {
    using model = await tinyModel(device)
    const { config, parameters } = model
    using laplacian = LaplacianTensor.from(device, randomLaplacian(10))
    const make = (changed: ReadonlyMap<string, Tensor>) => new GPT(device, config, changed, laplacian)
    const name = 'blocks.1.attn.c_k.weight'
    expect(() => make(new Map(Array.from(parameters).filter(([key]) => key !== name)))).toThrow(
      `GPT: parameters must hold ${name}, got none of that name`,
    )
    using odd = device.tensor(new Float32Array(12 * 30), [12, 30])
    expect(() => make(new Map([...parameters, [name, odd]]))).toThrow(
      `GPT: ${name} must be [30, 12], got [12, 30]`,
    )
    expect(() => make(new Map([...parameters, ['blocks.2.attn.c_k.weight', odd]]))).toThrow(
      'GPT: parameters must only be those of the configuration, got also blocks.2.attn.c_k.weight',
    )
    expect(() => new GPT(device, { ...config, nLayer: 0 }, parameters, laplacian)).toThrow(
      'config: nLayer must be a whole number from 1 to 1024, got 0',
    )
  })

  it('counts its parameters', () => {
    using scope = device.scope()
    const laplacian = LaplacianTensor.from(device, randomLaplacian(10))
    using model = createModel(device, tiny, { laplacian: randomLaplacian(10) })
    const twin = new GPT(device, model.config, initParameters(device, model.config, 1), laplacian)
    expect(twin.parameterCount).toBe(2 * 23 * 12 + 2 * (720 + 360 + 72 + 288 + 1152 + 78 + 9))
    twin[Symbol.dispose]()
    void scope
  })
})
