import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { SoftcapGradKernel, SoftcapKernel } from './softcap.ts'

export function softcapWasm(engine: CpuEngine): SoftcapKernel {
  const launch = engine.kernel(tensorWasm, 'softcap')
  return (x, out, cap, n) => launch([x, out, cap], n, ELEMENT_GRAIN, touches(2 * n))
}

export function softcapGradWasm(engine: CpuEngine): SoftcapGradKernel {
  const launch = engine.kernel(tensorWasm, 'softcapGrad')
  return (out, dOut, dX, cap, n) => launch([out, dOut, dX, cap], n, ELEMENT_GRAIN, touches(3 * n))
}
