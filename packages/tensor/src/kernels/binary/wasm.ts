import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { launchEach } from '../launch-each.ts'
import { BINARY_OPS, type BinaryKernel } from './binary.ts'
import { loopsWasm } from './loops-wasm.ts'

export function binaryWasm(engine: CpuEngine): BinaryKernel {
  const launches = launchEach(BINARY_OPS, (op) => loopsWasm(engine, op))
  return (op, a, b, out, loops) => launches[op]([a, b], out, loops)
}
