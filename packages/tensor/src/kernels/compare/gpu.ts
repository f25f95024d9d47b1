import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { isNanText } from '../../backends/gpu/text.ts'
import { loopsGpu } from '../binary/loops-gpu.ts'
import type { CompareKernel } from './choose.ts'

/** Tensors of i32 are f32 on this backend, so comparisons are exact up to 2²⁴. */
export function compareGpu(engine: GpuEngine): CompareKernel {
  const launch = loopsGpu(engine, {
    name: 'compare',
    operands: ['a', 'b'],
    args: { whenLess: 'float', whenEqual: 'float', otherwise: 'float' },
    body: `
      if (${isNanText('va')}) { return otherwise }
      if (${isNanText('vb')}) { return otherwise }
      if (va < vb) { return whenLess }
      if (va > vb) { return otherwise }
      return whenEqual`,
  })
  return (_dtype, a, b, out, loops, choice) => launch([a, b], out, loops, ...choice)
}
