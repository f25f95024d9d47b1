import { cpu } from '@tau/tensor'
import type { OptimizerSettings } from '@tau/tensor/optim'
import { describe, expect, it } from 'vitest'
import { tiny, tinyModel } from '../testing.ts'
import { estimateTraining } from './estimate.ts'
import { modelOptimizer } from './optimizer.ts'
import { defaultTrainOptions } from './options.ts'
import { trainStep } from './step.ts'

type Case = Omit<Parameters<typeof estimateTraining>[1], 'optimizer' | 'weightDecay' | 'gradClip'> & {
  seqLen: number
  attention?: 'tau' | 'dot'
  optimizer?: OptimizerSettings
}

describe('estimateTraining', () => {
  it.each<Case>([
    { seqLen: 13, batchSize: 3, accumulate: 1, checkpointActivations: false },
    { seqLen: 1021, batchSize: 5, accumulate: 2, checkpointActivations: false },
    { seqLen: 1021, batchSize: 5, accumulate: 2, checkpointActivations: true },
    { seqLen: 13, batchSize: 3, accumulate: 1, checkpointActivations: false, optimizer: { name: 'muon' } },
    { seqLen: 13, batchSize: 3, accumulate: 1, checkpointActivations: false, optimizer: { name: 'sgd' } },
    { seqLen: 4099, batchSize: 1, accumulate: 1, checkpointActivations: true, attention: 'dot' },
  ])('is what a step takes: %o', async ({ seqLen, attention, ...rest }) => {
    const options = { ...defaultTrainOptions, ...rest }
    const { batchSize, accumulate, checkpointActivations } = options
    const estimate = await estimateTraining({ ...tiny, seqLen, ...(attention && { attention }) }, options, 2)
    const device = await cpu({ threads: 2 })
    {
      using model = tinyModel(device, { seqLen, ...(attention && { attention }) })
      using optimizer = modelOptimizer(model, options)
      const ids = Int32Array.from({ length: batchSize * seqLen }, (_, i) => (i * 7919) % tiny.vocabSize)
      const batches = Array.from({ length: accumulate }, () => ({ tokens: ids, targets: ids }))
      for (let step = 0; step < 2; step++) {
        const result = trainStep(model, optimizer, batches, batchSize, 1e-3, { checkpointActivations })
        await result.loss.item()
        for (const tensor of [result.loss, result.norm, ...result.grads]) tensor.dispose()
      }
    }
    const measured = device.memory.peakBytes
    await device.close()
    expect(Math.abs(estimate / measured - 1)).toBeLessThan(0.01)
  })

  it('counts what no device could give', async () => {
    const size = { size: 'tau-30m', seqLen: 65_536 } as const
    const options = { ...defaultTrainOptions, batchSize: 1, accumulate: 1 }
    const [kept, checkpointed] = await Promise.all(
      [false, true].map((checkpointActivations) =>
        estimateTraining(size, { ...options, checkpointActivations }, 2),
      ),
    )
    expect(kept).toBeGreaterThan(2 ** 32)
    expect(checkpointed).toBeLessThan(2 ** 32)
  })
})
