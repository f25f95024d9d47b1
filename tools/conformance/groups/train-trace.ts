import { AdamW } from '@tau/tensor/optim'
import { learningRate, trainStep } from '@tau/train'
import type { Found } from '../compare.ts'
import type { Runner } from '../context.ts'
import { modelOf } from './model.ts'
import { optimizerOptions, scheduleOf } from './optimizer.ts'

export const trainTrace: Runner = async ({ inputs }, { device }) => {
  const tokens = inputs.array('tokens')
  const targets = inputs.array('targets')
  const [steps, batch, length] = tokens.shape
  using gpt = modelOf(device, inputs, length)
  const optimiser = inputs.fields('optimiser')
  using optimizer = new AdamW(gpt.parameters, optimizerOptions(optimiser))
  const schedule = scheduleOf(optimiser)
  const losses: number[] = []
  const norms: number[] = []
  const rates: number[] = []
  for (let step = 0; step < steps; step++) {
    const size = batch * length
    const part = (data: readonly number[]) => Int32Array.from(data.slice(step * size, (step + 1) * size))
    const lr = learningRate(step, schedule)
    const { loss, norm, grads } = trainStep(
      gpt,
      optimizer,
      [{ tokens: part(tokens.data), targets: part(targets.data) }],
      batch,
      lr,
    )
    losses.push(await loss.item())
    norms.push(await norm.item())
    rates.push(lr)
    for (const tensor of [loss, norm, ...grads]) tensor.dispose()
  }
  const weights: Record<string, Found> = {}
  for (const [name, tensor] of gpt.parameters) weights[name] = await tensor.data()
  return { loss: losses, grad_norm: norms, learning_rate: rates, final_weights: weights }
}
