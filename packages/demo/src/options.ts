import type { RunOptions } from '@tau/train'

/** Settings of the demo that differ from the defaults of @tau/train. The model has about 1.1 million
 *  parameters. It learns recognisable English from one novel, in about two minutes on two free cores. */
export const demoOptions = {
  tokenizer: { vocabSize: 1024 },
  model: { seqLen: 128 },
  train: {
    steps: 600,
    batchSize: 16,
    lr: 1e-2,
    minLr: 1e-3,
    warmup: 20,
    evalEvery: 50,
    headsEvery: 10,
    sampleEvery: 100,
    checkpointEvery: 100,
  },
  sample: { prompt: 'The whale', tokens: 100, temperature: 0.7, topK: 40 },
} as const satisfies RunOptions
