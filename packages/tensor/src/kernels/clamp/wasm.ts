import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { ClampGradKernel, ClampKernel } from './clamp.ts'

export function clampWasm(engine: CpuEngine): ClampKernel {
  const launch = engine.kernel(tensorWasm, 'clamp')
  return (x, out, low, high, n) => launch([x, out, low, high], n, ELEMENT_GRAIN, touches(2 * n))
}

export function clampGradWasm(engine: CpuEngine): ClampGradKernel {
  const launch = engine.kernel(tensorWasm, 'clampGrad')
  return (x, dOut, dX, low, high, n) => launch([x, dOut, dX, low, high], n, ELEMENT_GRAIN, touches(3 * n))
}
