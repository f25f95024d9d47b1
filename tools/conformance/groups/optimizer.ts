import type { AdamWOptions } from '@tau/tensor/optim'
import type { Fields } from '@tau/testing/oracle'
import type { Schedule } from '@tau/train'

export const scheduleOf = (optimiser: Fields): Schedule => {
  const schedule = optimiser.fields('schedule')
  return {
    peak: schedule.number('peak'),
    floor: schedule.number('floor'),
    warmup: schedule.number('warmup'),
    total: schedule.number('total'),
  }
}

export function optimizerOptions(optimiser: Fields): AdamWOptions {
  const betas = optimiser.value.betas
  if (!Array.isArray(betas))
    throw new Error(`oracle: optimiser.betas must be two numbers, got ${JSON.stringify(betas)}`)
  return {
    beta1: Number(betas[0]),
    beta2: Number(betas[1]),
    eps: optimiser.number('eps'),
    weightDecay: optimiser.number('weight_decay'),
    gradClip: optimiser.optionalNumber('clip') ?? Number.POSITIVE_INFINITY,
  }
}
