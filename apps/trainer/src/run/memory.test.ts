import { type ModelOptions, resolveConfig } from '@tau/model'
import { describe, expect, it } from 'vitest'
import { buildConfig } from '../config/config.ts'
import { checkMemory, estimateMemory } from './memory.ts'

const LIMIT = 2 ** 32
const config = (...flags: [string, string][]) =>
  buildConfig(undefined, [
    { path: 'train.batchSize', flag: '--batch-size', text: '1' },
    ...flags.map(([path, text]) => ({ path, flag: path, text })),
  ])
const model = (options: ModelOptions) => resolveConfig({ size: 'tau-30m', ...options })
const CHECKPOINTS: [string, string] = ['train.checkpointActivations', 'true']

describe('estimateMemory', () => {
  it('takes what fits', async () => {
    expect((await estimateMemory(config(), model({ seqLen: 1024 }), LIMIT)).advice).toBeUndefined()
    expect(
      (await estimateMemory(config(CHECKPOINTS), model({ seqLen: 65_536 }), LIMIT)).advice,
    ).toBeUndefined()
  })

  it('names the flags that make it fit', async () => {
    expect((await estimateMemory(config(), model({ seqLen: 65_536 }), LIMIT)).advice).toMatch(
      /^pass --checkpoint-activations, which takes \d\.\d\d GB$/,
    )
    expect((await estimateMemory(config(CHECKPOINTS), model({ seqLen: 262_144 }), LIMIT)).advice).toMatch(
      /^pass --checkpoint-activations --seq-len 65536, which takes \d\.\d\d GB$/,
    )
    const eight: [string, string] = ['train.batchSize', '8']
    expect(
      (await estimateMemory(config(CHECKPOINTS, eight), model({ seqLen: 65_536 }), LIMIT)).advice,
    ).toContain('--batch-size 1')
    expect((await estimateMemory(config(), model({ seqLen: 1024 }), 2 ** 27)).advice).toBe(
      'use a smaller model',
    )
  })
})

describe('checkMemory', () => {
  it('refuses with the numbers, and leaves the gpu backend alone', async () => {
    const long = model({ seqLen: 1_048_576 })
    await expect(checkMemory(config(CHECKPOINTS), long)).rejects.toThrow(
      /^train: memory must be at most \d\.\d\d GB, got \d+\.\d\d GB; pass --checkpoint-activations --seq-len \d+/,
    )
    await checkMemory(config(['device.backend', 'gpu']), long)
  })
})
