import type { Source } from '../config/file.ts'

/** Settings of the demo where they differ from the trainer's: about 1.1 million parameters that learn recognisable English from one
 *  novel in about two minutes on two free cores (2.11 bits per byte with seed 1). */
export const demoDefaults: Source = {
  values: {
    tokenizer: { vocabSize: 1024 },
    model: { seqLen: 128 },
    train: {
      steps: 400,
      batchSize: 16,
      lr: 4e-3,
      minLr: 2e-4,
      warmup: 20,
      evalEvery: 50,
      headsEvery: 10,
      sampleEvery: 100,
      checkpointEvery: 100,
    },
    sample: { prompt: 'The whale', tokens: 100, temperature: 0.7, topK: 40 },
    out: 'runs/demo',
  },
  where: () => 'demo',
}
