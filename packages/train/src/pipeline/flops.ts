import { countParameters, resolveConfig } from '@tau/model'
import { type RunSettings, vocabSizeOf } from './settings.ts'

/** Operations of a training step: a multiplication and an addition per parameter and token forward, twice that backward. */
export function trainingFlops(settings: Pick<RunSettings, 'model' | 'tokenizer' | 'train'>): number {
  const config = resolveConfig({ ...settings.model, vocabSize: vocabSizeOf(settings) })
  return 6 * countParameters(config) * settings.train.batchSize * config.seqLen
}
