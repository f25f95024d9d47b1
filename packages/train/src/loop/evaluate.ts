import type { GPT } from '@tau/model'
import type { Tensor } from '@tau/tensor'
import type { EvalBatch, EvalBatches } from '../data/batches.ts'

/** Mean cross-entropy over held-out tokens. */
export interface Evaluation {
  /** Nats per token. */
  readonly loss: number
  /** Targets that counted. */
  readonly tokens: number
}

/** Evaluates whole `batches` from the first on, until at least `maxTokens` targets have counted. */
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

/** Starts the read before the scope closes: nothing is kept while it is waited for. */
function batchLoss(model: GPT, batch: EvalBatch, batchSize: number): Promise<number> {
  using _scope = model.device.scope()
  const loss: Tensor = model.loss(
    model.tokens(batch.tokens, batchSize),
    model.targets(batch.targets, batchSize),
    { checkpointActivations: true }, // nothing is kept from layer to layer
  )
  return loss.item()
}

/** Nats per token as bits per byte of UTF-8. */
export const bitsPerByte = (loss: number, bytesPerToken: number): number => loss / Math.LN2 / bytesPerToken
