import { type CpuEngine, rowGrain, touches } from '@tau/tensor'
import { attentionWasm } from '../cpu-module.ts'
import type { ForgetClockGradKernel, ForgetClockKernel, SteadyClockKernel } from './clock.ts'

export function forgetClockWasm(engine: CpuEngine): ForgetClockKernel {
  const launch = engine.kernel(attentionWasm, 'forgetClock')
  return ({ steps, previous, previousLow }, high, low, rows, length) =>
    launch(
      [steps, previous, previousLow, high, low, length],
      rows,
      rowGrain(length),
      touches(3 * rows * length),
    )
}

export function forgetClockGradWasm(engine: CpuEngine): ForgetClockGradKernel {
  const launch = engine.kernel(attentionWasm, 'forgetClockGrad')
  return (dClock, dSteps, rows, length) =>
    launch([dClock, dSteps, length], rows, rowGrain(length), touches(2 * rows * length))
}

export function steadyClockWasm(engine: CpuEngine): SteadyClockKernel {
  const launch = engine.kernel(attentionWasm, 'steadyClock')
  return (gamma, high, low, rows, length, start) =>
    launch([gamma, high, low, length, start], rows, rowGrain(length), touches(2 * rows * length))
}
