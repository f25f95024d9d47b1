import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { SoftmaxGradKernel, SoftmaxKernel } from './softmax.ts'

export function softmaxWasm(engine: CpuEngine): SoftmaxKernel {
  const launch = engine.kernel(tensorWasm, 'softmax')
  return (x, y, rows, cols) => launch([x, y, cols], rows, rowGrain(cols), touches(2 * rows * cols))
}

export function softmaxGradWasm(engine: CpuEngine): SoftmaxGradKernel {
  const launch = engine.kernel(tensorWasm, 'softmaxGrad')
  return (y, dOut, dX, rows, cols) =>
    launch([y, dOut, dX, cols], rows, rowGrain(cols), touches(3 * rows * cols))
}
