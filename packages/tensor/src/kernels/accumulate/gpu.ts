import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { AccumulateKernel } from './accumulate.ts'

const ACCUMULATE: GpuKernel = {
  name: 'accumulate',
  args: { target: 'buffer', x: 'buffer', scale: 'float' },
  body: 'return target[this.thread.x] + scale * x[this.thread.x]',
}

export function accumulateGpu(engine: GpuEngine): AccumulateKernel {
  const launch = engine.kernel(ACCUMULATE)
  return (target, x, scale, n) => launch([target, x, scale], [n], target)
}
