import { type CpuEngine, rowGrain, touches } from '@tau/tensor/kernel'
import { attentionWasm } from '../cpu-module.ts'
import type { ConstantDecayKernel, ForgetGateDecayGradKernel, ForgetGateDecayKernel } from './decay.ts'

export function forgetGateDecayWasm(engine: CpuEngine): ForgetGateDecayKernel {
  const launch = engine.kernel(attentionWasm, 'forgetGateDecay')
  return ({ steps, previous, previousLow }, high, low, rows, length) =>
    launch(
      [steps, previous, previousLow, high, low, length],
      rows,
      rowGrain(length),
      touches(3 * rows * length),
    )
}

export function forgetGateDecayGradWasm(engine: CpuEngine): ForgetGateDecayGradKernel {
  const launch = engine.kernel(attentionWasm, 'forgetGateDecayGrad')
  return (dLogDecay, dSteps, rows, length) =>
    launch([dLogDecay, dSteps, length], rows, rowGrain(length), touches(2 * rows * length))
}

export function constantDecayWasm(engine: CpuEngine): ConstantDecayKernel {
  const launch = engine.kernel(attentionWasm, 'constantDecay')
  return (rate, high, low, rows, length, start) =>
    launch([rate, high, low, length, start], rows, rowGrain(length), touches(2 * rows * length))
}
