import type { ForwardOptions, GPT } from '@tau/model'
import { addInto, grad, mul, type Tensor } from '@tau/tensor'
import type { Optimizer } from '@tau/tensor/optim'
import type { TokenBatch } from '../data/batches.ts'

/** Results of one optimizer step, not yet read. The caller disposes all tensors. */
export interface StepResult {
  /** Mean loss of the step's micro-batches, nats per token. */
  readonly loss: Tensor
  /** Norm over all gradients, before clipping. */
  readonly norm: Tensor
  /** Gradients, in the order of the model's parameters. */
  readonly grads: readonly Tensor[]
}

/** Options of the forward pass: see {@link ForwardOptions}. */
type LossOptions = Pick<ForwardOptions, 'checkpointActivations'>

/** Runs forward and backward over the micro-batches, then updates the parameters once. The optimizer must
 *  have been made for the parameters of this model. Enqueues everything and waits for nothing. */
export function trainStep(
  model: GPT,
  optimizer: Optimizer,
  batches: readonly TokenBatch[],
  batchSize: number,
  lr: number,
  options: LossOptions = {},
): StepResult {
  if (batches.length === 0)
    throw new RangeError('trainStep: at least one batch is needed, got none; pass the batches of the step')
  const { device } = model
  return device.unscoped(() => {
    using scope = device.scope()
    const { loss, grads } = accumulateGradients(model, batches, batchSize, options)
    const norm = device.span('optimizer', () => optimizer.step(grads, lr))
    for (const tensor of [loss, norm, ...grads]) scope.keep(tensor)
    return { loss, norm, grads }
  })
}

/** Mean loss and mean gradients over the micro-batches. Each micro-batch frees all its tensors except these
 *  sums. */
function accumulateGradients(
  model: GPT,
  batches: readonly TokenBatch[],
  batchSize: number,
  options: LossOptions,
): { loss: Tensor; grads: Tensor[] } {
  const parameters = Array.from(model.parameters.values())
  let total: { loss: Tensor; grads: Tensor[] } | undefined
  for (const batch of batches) {
    using scope = model.device.scope()
    const loss = () => {
      const { tokens, targets } = batch
      const mean = model.loss(model.tokens(tokens, batchSize), model.targets(targets, batchSize), options)
      return batches.length > 1 ? mul(mean, 1 / batches.length) : mean
    }
    const { value, grads } = grad(loss, parameters, { freeIntermediates: true })
    if (total) {
      const { loss, grads: sums } = total
      model.device.span('accumulate', () => {
        addInto(loss, value)
        for (const [i, sum] of sums.entries()) addInto(sum, grads[i])
      })
    } else total = { loss: scope.keep(value), grads: grads.map((tensor) => scope.keep(tensor)) }
  }
  if (!total) throw new Error('internal: a step must have a batch')
  return total
}
