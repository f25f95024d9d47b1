import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { expText } from '../../backends/gpu/text.ts'
import { type Fold, foldGpu } from '../reduce/gpu-fold.ts'
import type { SoftmaxGradKernel, SoftmaxKernel } from './softmax.ts'

const AT = 'this.thread.y * cols + this.thread.x'

const SOFTMAX: GpuKernel = {
  name: 'softmax',
  args: { x: 'buffer', peak: 'buffer', total: 'buffer', cols: 'int' },
  body: `
    const behind = x[${AT}] - peak[this.thread.y]
    return ${expText('behind')} / total[this.thread.y]`,
}

const SOFTMAX_GRAD: GpuKernel = {
  name: 'softmaxGrad',
  args: { y: 'buffer', dOut: 'buffer', dot: 'buffer', cols: 'int' },
  body: `return y[${AT}] * (dOut[${AT}] - dot[this.thread.y])`,
}

/** Largest element of each row of x. */
export const rowPeakGpu = (engine: GpuEngine): Fold =>
  foldGpu(engine, { name: 'rowPeak', op: 'max', args: { x: 'buffer' }, term: (at) => `x[${at}]` })

/** Σ e^{x − peak} of each row: at least 1. */
export const rowTotalGpu = (engine: GpuEngine): Fold =>
  foldGpu(engine, {
    name: 'rowTotal',
    op: 'sum',
    args: { x: 'buffer', peak: 'buffer' },
    term: (at, row) => expText(`(x[${at}] - peak[${row}])`),
  })

export function softmaxGpu(engine: GpuEngine): SoftmaxKernel {
  const rowPeak = rowPeakGpu(engine)
  const rowTotal = rowTotalGpu(engine)
  const launch = engine.kernel(SOFTMAX)
  return (x, y, rows, cols) => {
    using peak = engine.scratch(rows)
    using total = engine.scratch(rows)
    rowPeak([x], peak.handle, rows, cols, 1)
    rowTotal([x, peak.handle], total.handle, rows, cols, 1)
    launch([x, peak.handle, total.handle, cols], [cols, rows], y)
  }
}

export function softmaxGradGpu(engine: GpuEngine): SoftmaxGradKernel {
  const rowDot = foldGpu(engine, {
    name: 'rowDot',
    op: 'sum',
    args: { y: 'buffer', dOut: 'buffer' },
    term: (at) => `y[${at}] * dOut[${at}]`,
  })
  const launch = engine.kernel(SOFTMAX_GRAD)
  return (y, dOut, dX, rows, cols) => {
    using dot = engine.scratch(rows)
    rowDot([y, dOut], dot.handle, rows, cols, 1)
    launch([y, dOut, dot.handle, cols], [cols, rows], dX)
  }
}
