import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { loopsGpu } from '../binary/loops-gpu.ts'
import type { WhereKernel } from './where.ts'

export function whereGpu(engine: GpuEngine): WhereKernel {
  const launch = loopsGpu(engine, {
    name: 'where',
    operands: ['m', 'a', 'b'],
    // NaN is not equal to 0, but a GPU may say that it is: it is neither above nor below.
    body: `
      if (vm <= 0) {
        if (vm >= 0) { return vb }
      }
      return va`,
  })
  return (mask, a, b, out, loops) => launch([mask, a, b], out, loops)
}
