import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { loopsWasm } from '../binary/loops-wasm.ts'
import type { CompareKernel } from './choose.ts'

export function compareWasm(engine: CpuEngine): CompareKernel {
  const launch = loopsWasm(engine, 'compare')
  return (dtype, a, b, out, loops, choice) => launch([a, b], out, loops, dtype === 'i32' ? 1 : 0, ...choice)
}
