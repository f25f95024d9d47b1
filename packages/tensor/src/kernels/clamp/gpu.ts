import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { ClampGradKernel, ClampKernel } from './clamp.ts'

const CLAMP: GpuKernel = {
  name: 'clamp',
  args: { x: 'buffer', low: 'float', high: 'float' },
  body: `
    const v = x[this.thread.x]
    if (v < low) { return low }
    if (v > high) { return high }
    return v`,
}

const CLAMP_GRAD: GpuKernel = {
  name: 'clampGrad',
  args: { x: 'buffer', dOut: 'buffer', low: 'float', high: 'float' },
  body: `
    const v = x[this.thread.x]
    if (v >= low && v <= high) { return dOut[this.thread.x] }
    return 0`,
}

export function clampGpu(engine: GpuEngine): ClampKernel {
  const launch = engine.kernel(CLAMP)
  return (x, out, low, high, n) => launch([x, low, high], [n], out)
}

export function clampGradGpu(engine: GpuEngine): ClampGradKernel {
  const launch = engine.kernel(CLAMP_GRAD)
  return (x, dOut, dX, low, high, n) => launch([x, dOut, low, high], [n], dX)
}
