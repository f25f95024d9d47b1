import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { loopsWasm } from '../binary/loops-wasm.ts'
import type { WhereKernel } from './where.ts'

export function whereWasm(engine: CpuEngine): WhereKernel {
  const launch = loopsWasm(engine, 'where')
  return (mask, a, b, out, loops) => launch([mask, a, b], out, loops)
}
