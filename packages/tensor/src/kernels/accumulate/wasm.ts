import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { AccumulateKernel } from './accumulate.ts'

export function accumulateWasm(engine: CpuEngine): AccumulateKernel {
  const launch = engine.kernel(tensorWasm, 'accumulate')
  return (target, x, scale, n) => launch([target, x, scale], n, ELEMENT_GRAIN, touches(3 * n))
}
