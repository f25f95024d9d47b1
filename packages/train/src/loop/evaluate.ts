import type { GPT } from '@tau/model'
import type { Tensor } from '@tau/tensor'
import type { EvalBatch, EvalBatches } from '../data/batches.ts'

/** Mean cross-entropy over held-out tokens. */
export interface Evaluation {
  /** Nats per token. */
  readonly loss: number
  /** Number of targets that counted. */
  readonly tokens: number
}

/** Evaluates `batches` in order. Stops after the batch in which the count of targets reaches `maxTokens`. */
export async function evaluate(
  model: GPT,
  batches: EvalBatches,
  maxTokens = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  if (!(maxTokens > 0)) throw new RangeError(`evaluate: maxTokens must be above 0, got ${maxTokens}`)
  let total = 0
  let tokens = 0
  for (const batch of batches) {
    if (tokens >= maxTokens) break
    total += (await batchLoss(model, batch, batches.batchSize)) * batch.targetCount
    tokens += batch.targetCount
  }
  return { loss: total / tokens, tokens }
}

/** Mean loss of a batch. The read starts before the scope closes, so no tensor stays alive while the caller
 *  waits. */
function batchLoss(model: GPT, batch: EvalBatch, batchSize: number): Promise<number> {
  using _scope = model.device.scope()
  const loss: Tensor = model.loss(
    model.tokens(batch.tokens, batchSize),
    model.targets(batch.targets, batchSize),
    { checkpointActivations: true }, // frees the activations of each layer
  )
  return loss.item()
}

/** Converts nats per token to bits per byte of UTF-8: loss / (ln 2 · bytesPerToken). */
export const bitsPerByte = (loss: number, bytesPerToken: number): number => loss / Math.LN2 / bytesPerToken
