import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import { launchEach } from '../launch-each.ts'
import { UNARY_OPS, type UnaryGradKernel, type UnaryKernel } from './unary.ts'

export function unaryWasm(engine: CpuEngine): UnaryKernel {
  const launches = launchEach(UNARY_OPS, (op) => engine.kernel(tensorWasm, op))
  return (op, x, out, n) => launches[op]([x, out], n, ELEMENT_GRAIN, touches(2 * n))
}

export function unaryGradWasm(engine: CpuEngine): UnaryGradKernel {
  const launches = launchEach(UNARY_OPS, (op) => engine.kernel(tensorWasm, `${op}Grad`))
  return (op, x, y, dOut, dX, n) => launches[op]([x, y, dOut, dX], n, ELEMENT_GRAIN, touches(3 * n)) // x or y, never both
}
