import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { ELEMENT_BYTES } from '../../dtype.ts'
import { tensorWasm } from '../cpu-module.ts'
import { launchEach } from '../launch-each.ts'
import { BINARY_OPS, type BinaryKernel } from './binary.ts'

export function binaryWasm(engine: CpuEngine): BinaryKernel {
  const launches = launchEach(BINARY_OPS, (op) => engine.kernel(tensorWasm, op))
  return (op, a, b, out, { dims, stepsA, stepsB }) => {
    const [n0, n1, n2, n3] = dims
    const n = n0 * n1 * n2 * n3
    // An operand has no more elements than the axes along which it moves.
    const sizeOf = (steps: readonly number[]) =>
      dims.reduce((size, dim, i) => (steps[i] ? size * dim : size), 1)
    launches[op]([a, b, out, n1, n2, n3, ...stepsA, ...stepsB], n, ELEMENT_GRAIN, () => ({
      bytes: ELEMENT_BYTES * (n + sizeOf(stepsA) + sizeOf(stepsB)),
    }))
  }
}
