import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { tensorWasm } from '../cpu-module.ts'
import { launchEach } from '../launch-each.ts'
import { BINARY_OPS, type BinaryKernel } from './binary.ts'

export function binaryWasm(engine: CpuEngine): BinaryKernel {
  const launches = launchEach(BINARY_OPS, (op) => engine.kernel(tensorWasm, op))
  return (op, a, b, out, { dims, stepsA, stepsB }) => {
    const [n0, n1, n2, n3] = dims
    launches[op]([a, b, out, n1, n2, n3, ...stepsA, ...stepsB], n0 * n1 * n2 * n3, ELEMENT_GRAIN)
  }
}
