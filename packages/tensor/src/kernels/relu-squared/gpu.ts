import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { ReluSquaredGradKernel, ReluSquaredKernel } from './relu-squared.ts'

// Not Math.max, because on a GPU it turns NaN into 0.
const RELU_SQUARED: GpuKernel = {
  name: 'reluSquared',
  args: { x: 'buffer' },
  body: `
    const v = x[this.thread.x]
    if (v < 0) { return 0 }
    return v * v`,
}

const RELU_SQUARED_GRAD: GpuKernel = {
  name: 'reluSquaredGrad',
  args: { out: 'buffer', dOut: 'buffer' },
  body: 'return Math.sqrt(out[this.thread.x]) * (2 * dOut[this.thread.x])',
}

export function reluSquaredGpu(engine: GpuEngine): ReluSquaredKernel {
  const launch = engine.kernel(RELU_SQUARED)
  return (x, out, n) => launch([x], [n], out)
}

export function reluSquaredGradGpu(engine: GpuEngine): ReluSquaredGradKernel {
  const launch = engine.kernel(RELU_SQUARED_GRAD)
  return (out, dOut, dX, n) => launch([out, dOut], [n], dX)
}
