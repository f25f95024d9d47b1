import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { ReluSquaredGradKernel, ReluSquaredKernel } from './relu-squared.ts'

export function reluSquaredWasm(engine: CpuEngine): ReluSquaredKernel {
  const launch = engine.kernel(tensorWasm, 'reluSquared')
  return (x, out, n) => launch([x, out], n, ELEMENT_GRAIN, touches(2 * n))
}

export function reluSquaredGradWasm(engine: CpuEngine): ReluSquaredGradKernel {
  const launch = engine.kernel(tensorWasm, 'reluSquaredGrad')
  return (out, dOut, dX, n) => launch([out, dOut, dX], n, ELEMENT_GRAIN, touches(3 * n))
}
