import { countParameters, resolveConfig } from '@tau/model'
import type { Config } from '../config/schema.ts'

/** Operations of a training step: a multiplication and an addition per parameter and token forward, twice that backward. */
export function trainingFlops({ model, tokenizer, train }: Config): number {
  const vocabSize = tokenizer.vocabSize ?? resolveConfig(model).vocabSize
  const config = resolveConfig({ ...model, vocabSize })
  return 6 * countParameters(config) * train.batchSize * config.seqLen
}
