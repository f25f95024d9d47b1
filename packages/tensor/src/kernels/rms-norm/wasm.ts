import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { RmsNormGradKernel, RmsNormKernel } from './rms-norm.ts'

export function rmsNormWasm(engine: CpuEngine): RmsNormKernel {
  const launch = engine.kernel(tensorWasm, 'rmsNorm')
  return (x, y, rows, cols, eps) => launch([x, y, cols, eps], rows, rowGrain(cols), touches(2 * rows * cols))
}

export function rmsNormGradWasm(engine: CpuEngine): RmsNormGradKernel {
  const launch = engine.kernel(tensorWasm, 'rmsNormGrad')
  return (x, dOut, dX, rows, cols, eps) =>
    launch([x, dOut, dX, cols, eps], rows, rowGrain(cols), touches(3 * rows * cols))
}
