import { countParameters, resolveConfig } from '@tau/model'
import { type RunSettings, vocabSizeOf } from './settings.ts'

/** Floating-point operations of one forward and backward pass: 6 · parameters · batchSize · seqLen. The
 *  forward pass does a multiplication and an addition per parameter and token. The backward pass does twice
 *  as much. */
export function trainingFlops(settings: Pick<RunSettings, 'model' | 'tokenizer' | 'train'>): number {
  const config = resolveConfig({ ...settings.model, vocabSize: vocabSizeOf(settings) })
  return 6 * countParameters(config) * settings.train.batchSize * config.seqLen
}
