import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { loopsGpu } from '../binary/loops-gpu.ts'
import type { WhereKernel } from './where.ts'

export function whereGpu(engine: GpuEngine): WhereKernel {
  const launch = loopsGpu(engine, {
    name: 'where',
    operands: ['m', 'a', 'b'],
    // A GPU may say that NaN equals 0, so the mask is compared twice: NaN is neither ≤ 0 nor ≥ 0.
    body: `
      if (vm <= 0) {
        if (vm >= 0) { return vb }
      }
      return va`,
  })
  return (mask, a, b, out, loops) => launch([mask, a, b], out, loops)
}
