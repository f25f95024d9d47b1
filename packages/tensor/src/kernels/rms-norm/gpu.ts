import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { foldGpu } from '../reduce/gpu-fold.ts'
import type { RmsNormGradKernel, RmsNormKernel } from './rms-norm.ts'

const AT = 'this.thread.y * cols + this.thread.x'

const RMS_NORM: GpuKernel = {
  name: 'rmsNorm',
  args: { x: 'buffer', energy: 'buffer', cols: 'int', eps: 'float' },
  body: `return x[${AT}] / Math.sqrt(energy[this.thread.y] / cols + eps)`,
}

const RMS_NORM_GRAD: GpuKernel = {
  name: 'rmsNormGrad',
  args: { x: 'buffer', dOut: 'buffer', energy: 'buffer', dot: 'buffer', cols: 'int', eps: 'float' },
  body: `
    const s = 1 / Math.sqrt(energy[this.thread.y] / cols + eps)
    const y = s * x[${AT}]
    return s * (dOut[${AT}] - y * (s * dot[this.thread.y] / cols))`,
}

const energyGpu = (engine: GpuEngine) =>
  foldGpu(engine, { name: 'energy', op: 'sum', args: { x: 'buffer' }, term: (at) => `x[${at}] * x[${at}]` })

export function rmsNormGpu(engine: GpuEngine): RmsNormKernel {
  const energyOf = energyGpu(engine)
  const launch = engine.kernel(RMS_NORM)
  return (x, y, rows, cols, eps) => {
    using energy = engine.scratch(rows)
    energyOf([x], energy.handle, rows, cols, 1)
    launch([x, energy.handle, cols, eps], [cols, rows], y)
  }
}

export function rmsNormGradGpu(engine: GpuEngine): RmsNormGradKernel {
  const energyOf = energyGpu(engine)
  const dotOf = foldGpu(engine, {
    name: 'dot',
    op: 'sum',
    args: { x: 'buffer', dOut: 'buffer' },
    term: (at) => `x[${at}] * dOut[${at}]`,
  })
  const launch = engine.kernel(RMS_NORM_GRAD)
  return (x, dOut, dX, rows, cols, eps) => {
    using energy = engine.scratch(rows)
    using dot = engine.scratch(rows)
    energyOf([x], energy.handle, rows, cols, 1)
    dotOf([x, dOut], dot.handle, rows, cols, 1)
    launch([x, dOut, energy.handle, dot.handle, cols, eps], [cols, rows], dX)
  }
}
