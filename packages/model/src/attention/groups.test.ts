import { cpu, type Device, slice, type Tensor } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ModelOptions, resolveConfig } from '../config/config.ts'
import { createModel } from '../create.ts'
import { countParameters, parameterSpecs } from '../parameters/parameters.ts'
import { parameterValues, randomIds, randomLaplacian, tiny, tinyModel } from '../testing.ts'

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())

/** Layer 0: a recall head (one map, keys wholly from the token before, no positions), and two heads as the model says. Layer 1: the
 *  newest keys only. */
const hybrid = {
  nKvHead: 6,
  layers: [
    [
      {
        ...{ kvHeads: 1, sharedQk: true, tokenShift: 'all', positionalEncoding: 'none' },
        ...{ temperature: 0.01, decay: 'none' },
      },
      { kvHeads: 5 },
    ],
    [{ attention: 'dot-window', window: 4 }],
  ],
} as const satisfies ModelOptions

describe('groups of heads', () => {
  it('have parameters of their own; a layer of one group has the short names', () => {
    const config = resolveConfig({ ...tiny, ...hybrid, nLayer: 3 })
    const names = parameterSpecs(config).map(({ name }) => name)
    const within = (layer: number) =>
      names.flatMap((name) => name.match(`^blocks\\.${layer}\\.attn\\.(.*)$`)?.[1] ?? [])
    const own = ['c_q.weight', 'c_v.weight', 'log_temperature', 'log_tau'].map((name) => `groups.0.${name}`)
    const rest = [
      'c_q.weight',
      'c_k.weight',
      'c_v.weight',
      'log_temperature',
      'log_tau',
      'c_f.weight',
      'c_f.bias',
    ]
    const shared = ['c_g.weight', 'c_proj.weight']
    expect(within(0)).toEqual([...own, ...rest.map((name) => `groups.1.${name}`), ...shared])
    expect(within(1)).toEqual(['c_q.weight', 'c_k.weight', 'c_v.weight', 'c_f.weight', 'c_f.bias', ...shared])
    expect(within(2)).toEqual(within(0)) // the pattern repeats
  })

  it('that are the whole layer are the model without them, to the bit', async () => {
    const laplacian = randomLaplacian(tiny.manifoldDim)
    const tokens = randomIds(11, tiny.vocabSize)
    using plain = createModel(device, { ...tiny, decayRate: 0.1 }, { laplacian, seed: 3 })
    using grouped = createModel(
      device,
      { ...tiny, decay: 'none', layers: [[{ decay: 'forget-gate' }]] },
      { laplacian, seed: 3 },
    )
    expect(await parameterValues(grouped.parameters)).toEqual(await parameterValues(plain.parameters))
    using _scope = device.scope()
    expect(await grouped.forward(grouped.tokens(tokens)).data()).toEqual(
      await plain.forward(plain.tokens(tokens)).data(),
    )
  })

  it('show each its own: a recall head has λ of the token before as its keys', async () => {
    using model = await tinyModel(device, { ...hybrid, nLayer: 2 })
    const length = 11
    using _scope = device.scope()
    const found: Record<string, Tensor>[] = []
    model.forward(model.tokens(randomIds(length, tiny.vocabSize)), {
      probe: ({ layer, group, values }) => {
        if (layer === 0 && group === 0) found.push(values)
        if (layer === 1) expect(values).toEqual({})
      },
    })
    const [{ lambdaQ, lambdaK }] = found
    expect(lambdaK.shape).toEqual([1, 1, length])
    // One map: the key at t is what the query at t − 1 was.
    expectNear(
      await slice(lambdaK, 2, 1, length).data(),
      Float64Array.from(await slice(lambdaQ, 2, 0, length - 1).data()),
      { atol: 1e-6 },
    )
  })

  it('decode step by step as in one pass, also after fork and reset', async () => {
    using model = await tinyModel(device, { ...hybrid, nLayer: 2 })
    const ids = randomIds(13, tiny.vocabSize)
    using _scope = device.scope()
    const full = await model.forward(model.tokens(ids)).data()
    const rows = (from: number, to: number) =>
      Float64Array.from(full.subarray(from * tiny.vocabSize, to * tiny.vocabSize))
    using state = model.decodeState()
    const go = async (to: typeof state, from: number, end: number) => {
      const logits = await model.forward(model.tokens(ids.slice(from, end)), { state: to }).data()
      expectNear(logits, rows(from, end), { atol: 5e-5 })
    }
    await go(state, 0, 5)
    using fork = state.fork()
    for (let t = 5; t < 13; t++) await go(state, t, t + 1)
    expect([state.length, fork.length]).toEqual([13, 5])
    await go(fork, 5, 9)
    await go(fork, 9, 13)
    state.reset()
    await go(state, 0, 13)
    expect(() => model.decodeState(1, { cache: 'bounded' })).not.toThrow()
    using dot = await tinyModel(device, { layers: [[{}], [{ attention: 'dot' }]] })
    expect(() => dot.decodeState(1, { cache: 'bounded' })).toThrow('cache must be exact for dot attention')
  })

  // As from JavaScript or a file: the type does not hold these.
  const given = (fields: object): ModelOptions => ({ ...fields })

  it.for<[object, string]>([
    [[], 'config: layers must be null, or lists of one or more groups of heads, got []'],
    [[[]], 'layers must be null, or lists of one or more groups of heads'],
    [[[{ kvHeads: 1 }]], 'config: layers[0] must share out nKvHead = 3 heads, got kvHeads 1'],
    [[[{}, {}]], 'layers[0] must share out nKvHead = 3 heads, got kvHeads (the rest), (the rest)'],
    [[[{ kvHeads: 3 }, {}]], 'layers[0] must share out nKvHead = 3 heads, got kvHeads 3, (the rest)'],
    [[[{ kvHeads: 1.5 }, {}]], 'config: layers[0][0].kvHeads must be a whole number of at least 1, got 1.5'],
    [[[{ nEmbd: 7 }]], 'config: layers[0][0].nEmbd must be left out'],
    [
      [[{}], [{ temperature: -1 }]],
      'config: layers[1][0].temperature must be a finite number above 0, got -1',
    ],
    [[[{ attention: 'cosine' }]], 'attention must be one of tau, dot, dot-window, got "cosine"'],
    [[[{ sharedQk: true }]], 'config: layers[0][0].sharedQk must be false with nHead 6 above nKvHead 3'],
    [
      [[{}], [{ manifoldDim: 12 }]],
      'manifoldDim must be the same for all heads with a Laplacian, got 10 and 12',
    ],
  ])('%j is refused', ([layers, message]) => {
    expect(() => resolveConfig({ ...tiny, ...given({ layers }) })).toThrow(message)
  })

  it('of a hybrid cost what their parts cost', () => {
    const base = resolveConfig({ ...tiny, nKvHead: 6, attention: 'dot', preset: 'paper' })
    const shared = resolveConfig({ ...base, layers: [[{ kvHeads: 2, sharedQk: true }, {}]] })
    expect(countParameters(base) - countParameters(shared)).toBe(tiny.nLayer * 2 * 10 * tiny.nEmbd)
  })
})
