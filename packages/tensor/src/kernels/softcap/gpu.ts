import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { tanhText } from '../../backends/gpu/text.ts'
import type { SoftcapGradKernel, SoftcapKernel } from './softcap.ts'

const SOFTCAP: GpuKernel = {
  name: 'softcap',
  args: { x: 'buffer', cap: 'float' },
  body: `
    const v = x[this.thread.x] / cap
    ${tanhText('bounded', 'v')}
    return cap * bounded`,
}

const SOFTCAP_GRAD: GpuKernel = {
  name: 'softcapGrad',
  args: { y: 'buffer', dOut: 'buffer', cap: 'float' },
  body: `
    const t = y[this.thread.x] / cap
    return dOut[this.thread.x] * (1 - t * t)`,
}

export function softcapGpu(engine: GpuEngine): SoftcapKernel {
  const launch = engine.kernel(SOFTCAP)
  return (x, out, cap, n) => launch([x, cap], [n], out)
}

export function softcapGradGpu(engine: GpuEngine): SoftcapGradKernel {
  const launch = engine.kernel(SOFTCAP_GRAD)
  return (out, dOut, dX, cap, n) => launch([out, dOut, cap], [n], dX)
}
