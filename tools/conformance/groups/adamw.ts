import { AdamW } from '@tau/tensor/optim'
import type { OracleArray } from '@tau/testing/oracle'
import { learningRate } from '@tau/train'
import { type Runner, tensorOf } from '../context.ts'
import { optimizerOptions, scheduleOf } from './optimizer.ts'

export const adamw: Runner = async ({ inputs }, { device }) => {
  const start = inputs.fields('params').arrays()
  const parameters = new Map(Array.from(start, ([name, array]) => [name, tensorOf(device, array)]))
  const gradients = inputs.fields('grads').arrays()
  const optimiser = inputs.fields('optimiser')
  using optimizer = new AdamW(parameters, optimizerOptions(optimiser))
  const schedule = scheduleOf(optimiser)

  const steps = gradients.values().next().value?.shape[0] ?? 0
  const norms: number[] = []
  const rates: number[] = []
  const params: Record<string, number[]> = Object.fromEntries(Array.from(start.keys(), (name) => [name, []]))
  for (let step = 0; step < steps; step++) {
    const lr = learningRate(step, schedule)
    const grads = Array.from(parameters.keys(), (name) =>
      tensorOf(device, stepOf(gradients.get(name)!, step)),
    )
    norms.push(await optimizer.step(grads, lr).item())
    rates.push(lr)
    for (const [name, tensor] of parameters) params[name].push(...(await tensor.data()))
  }
  return { grad_norm: norms, learning_rate: rates, params }
}

/** The element `step` of the first axis. */
function stepOf({ shape, data }: OracleArray, step: number): OracleArray {
  const size = data.length / shape[0]
  return { shape: shape.slice(1), data: data.slice(step * size, (step + 1) * size) }
}
