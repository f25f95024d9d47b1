import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { FillKernel } from './fill.ts'

export function fillWasm(engine: CpuEngine): FillKernel {
  const launch = engine.kernel(tensorWasm, 'fill')
  return (out, value, n) => launch([out, value], n, ELEMENT_GRAIN, touches(n))
}
