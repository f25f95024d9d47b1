import type { GPT } from '@tau/model'
import { addInto, type Device, grad, scale, type Tensor } from '@tau/tensor'
import type { TokenBatch } from '../data/batches.ts'
import type { AdamW } from '../optim/adamw.ts'

/** What one optimizer step leaves to be read; the caller disposes all of it. */
export interface StepResult {
  /** Mean loss of the step's micro-batches, nats per token. */
  readonly loss: Tensor
  readonly norm: Tensor
  /** In the order of the model's parameters. */
  readonly grads: readonly Tensor[]
}

/** Forward and backward over the micro-batches, then one AdamW update. Enqueues everything and waits for nothing. */
export function trainStep(
  model: GPT,
  optimizer: AdamW,
  batches: readonly TokenBatch[],
  batchSize: number,
  lr: number,
): StepResult {
  const { device } = model
  const { loss, grads } = accumulateGradients(model, batches, batchSize)
  const norm = device.unscoped(() => optimizer.step(grads, lr))
  return { loss, norm, grads }
}

function accumulateGradients(
  model: GPT,
  batches: readonly TokenBatch[],
  batchSize: number,
): { loss: Tensor; grads: Tensor[] } {
  const parameters = Array.from(model.parameters.values())
  const [first, ...rest] = batches.map(
    (batch) => () =>
      scale(
        model.loss(model.tokens(batch.tokens, batchSize), model.targets(batch.targets, batchSize)),
        1 / batches.length,
      ),
  )
  const total = isolated(model.device, () => grad(first, parameters))
  for (const loss of rest) {
    using _scope = model.device.scope()
    const { value, grads } = grad(loss, parameters)
    addInto(total.value, value)
    grads.forEach((dParameter, i) => {
      addInto(total.grads[i], dParameter)
    })
  }
  return { loss: total.value, grads: total.grads }
}

/** Runs `f` in a scope and hands its tensors to nobody: they live until disposed. */
function isolated(
  device: Device,
  f: () => { value: Tensor; grads: Tensor[] },
): { value: Tensor; grads: Tensor[] } {
  return device.unscoped(() => {
    using scope = device.scope()
    const { value, grads } = f()
    return { value: scope.keep(value), grads: grads.map((tensor) => scope.keep(tensor)) }
  })
}
