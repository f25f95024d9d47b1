import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { ArgmaxKernel } from './argmax.ts'

export function argmaxWasm(engine: CpuEngine): ArgmaxKernel {
  const launch = engine.kernel(tensorWasm, 'argmax')
  return (x, out, outer, length, inner, smallest) =>
    launch(
      [x, out, length, inner, smallest ? 1 : 0],
      outer * inner,
      rowGrain(length),
      touches(outer * (length + 1) * inner),
    )
}
