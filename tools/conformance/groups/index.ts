import type { LambdaAlgorithm } from '@tau/attention'
import type { Device } from '@tau/tensor'
import { hasSortedAlgorithm, type Runner } from '../context.ts'
import { adamw } from './adamw.ts'
import { attention, attentionDecay } from './attention.ts'
import { decode } from './decode.ts'
import { laplacian } from './laplacian.ts'
import { model } from './model.ts'
import { rope } from './rope.ts'
import { taumode } from './taumode.ts'
import { trainTrace } from './train-trace.ts'

/** Every group that a fixtures directory must have. */
export const runners: Readonly<Record<string, Runner>> = {
  adamw,
  attention,
  attention_clock: attentionDecay,
  decode,
  laplacian,
  model_gated: model,
  model_nano: model,
  model_tau: model,
  rope,
  taumode,
  train_trace: trainTrace,
}

/** Groups that run once for each algorithm of the device. Their cases are so short that 'auto' would leave an
 *  algorithm out. */
export function algorithmsOf(group: string, device: Device): readonly (LambdaAlgorithm | undefined)[] {
  if (group !== 'attention' && group !== 'attention_clock') return [undefined]
  return hasSortedAlgorithm(device) ? ['quadratic', 'sorted'] : ['quadratic']
}
