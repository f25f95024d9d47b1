import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { FillKernel } from './fill.ts'

const FILL: GpuKernel = { name: 'fill', args: { value: 'float' }, body: 'return value' }

export function fillGpu(engine: GpuEngine): FillKernel {
  const launch = engine.kernel(FILL)
  return (out, value, n) => launch([value], [n], out)
}
