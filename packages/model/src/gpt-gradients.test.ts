import { cpu, type Device, gpu, grad } from '@tau/tensor'
import { describeDevices } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelOptions } from './config/config.ts'
import type { ModelConfig } from './config/model-config.ts'
import type { GPT } from './gpt.ts'
import { parameterValues, randomIds, tiny, tinyModel } from './testing.ts'

const BATCH = 2
const LENGTH = 7

/** Loss of a fixed batch and its gradient for every parameter, by name. */
function lossAndGradients(model: GPT, checkpointActivations = false) {
  using _scope = model.device.scope()
  const { vocabSize } = model.config
  const tokens = model.tokens(randomIds(BATCH * LENGTH, vocabSize), BATCH)
  const targets = model.targets(randomIds(BATCH * LENGTH, vocabSize, 13), BATCH)
  const { value, grads } = grad(
    () => model.loss(tokens, targets, { checkpointActivations }),
    Array.from(model.parameters.values()),
    { freeIntermediates: checkpointActivations },
  )
  const names = Array.from(model.parameters.keys())
  return {
    loss: value.item(),
    gradients: parameterValues(new Map(names.map((name, i) => [name, grads[i]]))),
  }
}

const choices = <T extends object>(fields: { readonly [K in keyof T]: readonly T[K][] }): T[] =>
  Object.entries(fields).reduce<object[]>(
    (all, [key, values]) =>
      all.flatMap((one) => (values as readonly unknown[]).map((value) => ({ ...one, [key]: value }))),
    [{}],
  ) as T[]

/** The bias of the LayerNorm on k. In dot-product attention its gradient is 0, because it adds the same
 *  number to all scores of a query. */
const NEVER_LEARNS = 'qk_norm_k.bias'

const common = {
  decay: ['none', 'constant', 'forget-gate'],
  tokenShift: ['none', 'half'],
  outputGate: [false, true],
  manifoldDim: [null, 10],
} as const
const combinations: Partial<ModelConfig>[] = [
  ...choices<Partial<ModelConfig>>({
    attention: ['tau'],
    ...common,
    learnTemperature: [false, true],
    tauMode: ['fixed', 'learned', 'adaptive', 'reference-median', 'reference-mean'],
  }),
  ...choices<Partial<ModelConfig>>({ attention: ['dot'], ...common, qkLayerNorm: [false, true] }),
  ...choices<Partial<ModelConfig>>({
    attention: ['tau', 'dot', 'dot-window'],
    window: [3],
    tokenShift: ['half', 'all'],
    positionalEncoding: ['rope', 'none'],
    sharedQk: [false, true],
    qkLayerNorm: [false, true],
    nKvHead: [6],
  }),
  {
    layers: [
      [
        { kvHeads: 1, attention: 'dot-window', window: 4 },
        { positionalEncoding: 'none', manifoldDim: 10 },
      ],
    ],
  },
]

describe('every combination of switches', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())

  it('is a combination of its own', () => {
    expect(new Set(combinations.map((options) => JSON.stringify(options))).size).toBe(
      3 * 2 * 2 * 2 * (2 * 5 + 2) + 3 * 2 * 2 * 2 * 2 + 1,
    )
  })

  it.for(combinations.map((options) => [Object.values(options).join(' '), options] as const))(
    '%s learns with all its parameters',
    async ([, options]) => {
      // Four channels per value head, one layer: the whole table stays quick.
      using model = await tinyModel(device, {
        ...options,
        nEmbd: 24,
        nLayer: 1,
        temperature: 0.5,
        decayRate: 0.1,
      })
      const { loss, gradients } = lossAndGradients(model)
      expect(Number.isFinite(await loss)).toBe(true)
      for (const [name, values] of await gradients) {
        expect(values.every(Number.isFinite), name).toBe(true)
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        if (name.endsWith(NEVER_LEARNS) && options.attention !== 'tau')
          expect(largest, name).toBeLessThan(1e-6)
        else expect(largest, name).toBeGreaterThan(1e-6)
      }
    },
  )
})

/** Along its own gradient, a parameter changes the loss at the rate of the gradient's length. In f32 the
 *  difference of two losses near 3 is good to about 3e-7, so that a step of 2h = 0.02 gives the rate to 2e-5;
 *  curvature and kinks of |λq − λk| add less than a percent. The fixtures hold every single number to its
 *  bound; this catches a sign or a factor in any switch. */
const STEP = 0.01
const RELATIVE = 0.01
const ABSOLUTE = 1e-4

describeDevices(
  'the loss along the gradient of each parameter',
  { cpu, gpu },
  (device) => {
    it.for<[string, ModelOptions]>([
      ['tau default', {}],
      ['tau steady, plain scales', { decay: 'constant', decayRate: 0.1, positiveAs: 'plain', tau: 0.5 }],
      ['dot default', { attention: 'dot' }],
      [
        'tau without RoPE, one map',
        { positionalEncoding: 'none', sharedQk: true, nKvHead: 6, tokenShift: 'all' },
      ],
      ['dot within a window', { attention: 'dot-window', window: 4 }],
      [
        'groups of two kinds',
        {
          layers: [
            [{ kvHeads: 1, attention: 'dot-window', window: 4 }, { positionalEncoding: 'none' }],
            [{}],
          ],
        },
      ],
      ['dot with LayerNorm', { attention: 'dot', preset: 'paper', qkLayerNorm: true }],
    ])('%s', async ([, options]) => {
      using model = await tinyModel(device(), { temperature: 0.5, ...options })
      const gradients = await lossAndGradients(model).gradients
      const { vocabSize } = tiny
      const ids = randomIds(BATCH * LENGTH, vocabSize)
      const targets = randomIds(BATCH * LENGTH, vocabSize, 13)
      const loss = (): Promise<number> => {
        using _scope = device().scope()
        return model.loss(model.tokens(ids, BATCH), model.targets(targets, BATCH)).item()
      }
      let meaningful = 0
      for (const [name, tensor] of model.parameters) {
        const gradient = gradients.get(name) ?? new Float32Array()
        const length = Math.hypot(...gradient)
        const start = await tensor.data()
        const at = (step: number) => {
          tensor.write(start.map((value, i) => value + step * (gradient[i] / length)))
          return loss()
        }
        const rate = ((await at(STEP)) - (await at(-STEP))) / (2 * STEP)
        tensor.write(start)
        expect(Math.abs(rate - length), `${name}: rate ${rate}, gradient ${length}`).toBeLessThan(
          ABSOLUTE + RELATIVE * length,
        )
        if (length > 2 * ABSOLUTE) meaningful++ // so that a wrong sign or factor 2 would show
      }
      const neverLearn = Array.from(model.parameters.keys()).filter((name) => name.endsWith(NEVER_LEARNS))
      expect(meaningful).toBe(model.parameters.size - neverLearn.length)
    })
  },
  ['cpu plain 1 thread', 'cpu relaxed 2 threads', 'gpu.js cpu'],
)

describe('checkpointActivations', () => {
  it.each<[string, ModelOptions]>([
    ['tau', {}],
    ['paper', { preset: 'paper' }],
    ['dot', { attention: 'dot' }],
  ])('gives loss and gradients of %s to the bit', async (_, options) => {
    const device = await cpu({ threads: 2 })
    using model = await tinyModel(device, options)
    const [plain, checkpointed] = [lossAndGradients(model), lossAndGradients(model, true)]
    expect(await checkpointed.loss).toBe(await plain.loss)
    expect(await checkpointed.gradients).toEqual(await plain.gradients)
    await device.close()
  })

  it('refuses a probe and a state', async () => {
    const device = await cpu({ threads: 1 })
    using model = await tinyModel(device)
    using _scope = device.scope()
    const tokens = model.tokens(Int32Array.of(1, 2))
    expect(() => model.forward(tokens, { checkpointActivations: true, probe: () => {} })).toThrow(
      'forward: checkpointActivations must be off with a probe, got both; a layer runs twice',
    )
    await device.close()
  })
})
