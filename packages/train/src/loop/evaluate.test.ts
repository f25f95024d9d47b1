import type { GPT } from '@tau/model'
import { cpu, gpu } from '@tau/tensor'
import { describeDevices, expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { EvalBatches } from '../data/batches.ts'
import { tiny, tinyData, tinyModel } from '../testing.ts'
import { bitsPerByte, evaluate } from './evaluate.ts'

/** Loss in nats of every token of the text except the first. Windows follow one another, and each is
 *  evaluated alone. */
async function lossesByHand(model: GPT, ids: Int32Array): Promise<number[]> {
  const { seqLen, vocabSize } = model.config
  const losses: number[] = []
  for (let start = 0; start + 1 < ids.length; start += seqLen) {
    using _scope = model.device.scope()
    const window = ids.slice(start, Math.min(start + seqLen, ids.length - 1))
    const logits = await model.forward(model.tokens(window)).data()
    window.forEach((_, t) => {
      const row = logits.subarray(t * vocabSize, (t + 1) * vocabSize)
      const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0)
      losses.push(Math.log(total) - row[ids[start + t + 1]])
    })
  }
  return losses
}

describeDevices('evaluate', { cpu, gpu }, (device) => {
  it('sums over all windows what each loses, the last and short one too', async () => {
    const ids = tinyData().val.subarray(0, 101) // two full batches of 39 targets and 22 more
    using model = tinyModel(device())
    const run = () => evaluate(model, new EvalBatches({ ids, seqLen: tiny.seqLen, batchSize: 3 }))
    await run() // RoPE's angles stay with the model
    const liveBuffers = device().memory.liveBuffers
    const { loss, tokens } = await run()
    expect(device().memory.liveBuffers).toBe(liveBuffers)
    const losses = await lossesByHand(model, ids)
    expect(losses).toHaveLength(100)
    expect(tokens).toBe(100)
    expectNear([loss], [losses.reduce((sum, nats) => sum + nats, 0) / 100], { rtol: 1e-6 })
  })

  it('ends with the batch in which maxTokens is reached', async () => {
    const ids = tinyData().val.subarray(0, 101)
    using model = tinyModel(device())
    const batches = new EvalBatches({ ids, seqLen: tiny.seqLen, batchSize: 3 })
    const losses = await lossesByHand(model, ids)
    for (const [maxTokens, counted] of [
      [1, 39],
      [39, 39],
      [40, 78],
      [79, 100],
      [1e9, 100],
    ]) {
      const { loss, tokens } = await evaluate(model, batches, maxTokens)
      expect(tokens).toBe(counted)
      const expected = losses.slice(0, counted).reduce((sum, nats) => sum + nats, 0) / counted
      expectNear([loss], [expected], { rtol: 1e-6 })
    }
    await expect(evaluate(model, batches, 0)).rejects.toThrow('evaluate: maxTokens must be above 0, got 0')
    await expect(evaluate(model, batches, Number.NaN)).rejects.toThrow('got NaN')
  })
})

describe('bitsPerByte', () => {
  it('of tokens guessed among 2ⁿ is n bits, over their bytes', () => {
    expect(bitsPerByte(Math.log(1024), 2.5)).toBeCloseTo(4, 12)
    expect(bitsPerByte(Math.log(256), 1)).toBeCloseTo(8, 12)
    expect(bitsPerByte(0, 3)).toBe(0)
  })
})
