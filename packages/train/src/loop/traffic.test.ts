import { manifoldDim } from '@tau/model'
import { type Device, gpu } from '@tau/tensor'
import { gpuModes } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TokenBatches } from '../data/batches.ts'
import { tiny, tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { modelOptimizer } from './optimizer.ts'
import { trainStep } from './step.ts'

const BATCH = 3
const TOKENS = BATCH * tiny.seqLen

describe.runIf(gpuModes.includes('webgpu'))('on a GPU', () => {
  let device: Device
  beforeAll(async () => {
    device = await gpu({ mode: 'webgpu' })
  })
  afterAll(() => device.close())

  const traffic = async () => {
    const counted = device.engine.backend === 'gpu' ? await device.engine.traffic() : undefined
    if (!counted) throw new Error('mode webgpu must count')
    return counted
  }

  it.each([
    ['tau', 'adamw'],
    ['dot', 'adamw'],
    ['tau', 'muon'],
    ['tau', 'sgd'],
  ] as const)(
    'a training step sends the tokens and brings back the loss: %s attention, %s',
    async (attention, name) => {
      using model = tinyModel(device, { attention })
      using optimizer = modelOptimizer(model, { ...tinyOptions, optimizer: { name } })
      const batches = new TokenBatches({
        ids: tinyData().train,
        ...{ seqLen: tiny.seqLen, batchSize: BATCH, seed: 1 },
      })
      const used: { up: number; back: number }[] = []
      for (let step = 0; step < 3; step++) {
        const before = await traffic()
        const { loss, norm, grads } = trainStep(model, optimizer, [batches.batch(step)], BATCH, 0.01)
        await loss.item()
        const after = await traffic()
        used.push({
          up: after.uploadedBytes - before.uploadedBytes,
          back: after.readBytes - before.readBytes,
        })
        for (const tensor of [loss, norm, ...grads]) tensor.dispose()
      }
      // A step uploads ids, targets and a few numbers. Tensors that stay, such as RoPE's angles, are uploaded
      // once.
      expect(used.slice(1)).toEqual([
        { up: 2 * 4 * TOKENS, back: 4 },
        { up: 2 * 4 * TOKENS, back: 4 },
      ])
    },
  )

  it.each(['tau', 'dot'] as const)(
    'a generation sends its tokens, and RoPE’s angles only when it has outgrown them: %s attention',
    async (attention) => {
      using model = tinyModel(device, { attention })
      using state = model.decodeState()
      const used: number[] = []
      for (const ids of [[1, 2, 3, 4, 5], [6], [7], [8], [9], [10], [11], [12]]) {
        const before = await traffic()
        {
          using _scope = device.scope()
          model.forward(model.tokens(Int32Array.from(ids)), { state, lastOnly: true })
        }
        used.push((await traffic()).uploadedBytes - before.uploadedBytes)
      }
      const row = 4 * manifoldDim(model.config)
      const [, ...tokens] = used // the prompt leaves RoPE's angles of 8 positions
      expect(tokens).toEqual([4, 4, 4, 4 + tiny.seqLen * row, 4, 4, 4])
    },
  )
})
