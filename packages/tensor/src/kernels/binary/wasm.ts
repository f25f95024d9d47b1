import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { tensorWasm } from '../cpu-module.ts'
import { BINARY_OPS, type BinaryKernel } from './binary.ts'

export function binaryWasm(engine: CpuEngine): BinaryKernel {
  const launches = BINARY_OPS.map((op) => engine.kernel(tensorWasm, op))
  return (op, a, b, out, { dims, stepsA, stepsB }) => {
    const [n0, n1, n2, n3] = dims
    const launch = launches[BINARY_OPS.indexOf(op)]
    launch([a, b, out, n1, n2, n3, ...stepsA, ...stepsB], n0 * n1 * n2 * n3, ELEMENT_GRAIN)
  }
}
