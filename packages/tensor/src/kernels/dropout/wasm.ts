import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { DropoutKernel } from './dropout.ts'

export function dropoutWasm(engine: CpuEngine): DropoutKernel {
  const launch = engine.kernel(tensorWasm, 'dropout')
  return (x, out, n, { threshold, scale, key, step, stream }) =>
    launch([x, out, threshold, scale, ...key, step, stream], n, ELEMENT_GRAIN, touches(2 * n))
}
