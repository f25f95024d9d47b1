import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { DropoutKernel } from './dropout.ts'
import { keptElements } from './kept.ts'

const DROPOUT: GpuKernel = {
  name: 'dropout',
  args: { x: 'buffer', kept: 'buffer', scale: 'float' },
  body: `
    if (kept[this.thread.x] > 0) { return scale * x[this.thread.x] }
    return 0`,
}

/** gpu.js has no 32-bit integers, so the host decides which elements stay. */
export function dropoutGpu(engine: GpuEngine): DropoutKernel {
  const launch = engine.kernel(DROPOUT)
  return (x, out, n, draw) => {
    using kept = engine.scratch(n)
    engine.write(kept.handle, keptElements(n, draw))
    launch([x, kept.handle, draw.scale], [n], out)
  }
}
