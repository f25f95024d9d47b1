import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { logText } from '../../backends/gpu/text.ts'
import { foldGpu } from '../reduce/gpu-fold.ts'
import { rowPeakGpu, rowTotalGpu } from '../softmax/gpu.ts'
import type { CrossEntropyGradKernel, CrossEntropyKernel } from './cross-entropy.ts'

const LOG_SUM_EXP: GpuKernel = {
  name: 'logSumExp',
  args: { peak: 'buffer', total: 'buffer' },
  body: 'return peak[this.thread.x] + Math.log(total[this.thread.x])',
}

/** peak − logit is a small difference and keeps its low bits. logSumExp − logit would lose them. */
const ROW_LOSS: GpuKernel = {
  name: 'crossEntropyRows',
  args: { logits: 'buffer', targets: 'buffer', peak: 'buffer', total: 'buffer', cols: 'int', nan: 'float' },
  body: `
    const target = targets[this.thread.x]
    if (target < 0) { return 0 }
    if (target >= cols) { return nan }
    const behind = peak[this.thread.x] - logits[this.thread.x * cols + (target | 0)]
    const sum = total[this.thread.x]
    ${logText('logSum', 'sum')}
    return logSum + behind`,
}

const LOSS_AND_COUNT: GpuKernel = {
  name: 'crossEntropyMean',
  args: { sum: 'buffer', count: 'buffer' },
  body: `
    if (this.thread.x > 0) { return count[0] }
    if (count[0] > 0) { return sum[0] / count[0] }
    return 0`,
}

const GRAD: GpuKernel = {
  name: 'crossEntropyGrad',
  args: {
    logits: 'buffer',
    targets: 'buffer',
    logSumExp: 'buffer',
    loss: 'buffer',
    dOut: 'buffer',
    cols: 'int',
  },
  body: `
    const target = targets[this.thread.y]
    if (target < 0) { return 0 }
    let p = Math.exp(logits[this.thread.y * cols + this.thread.x] - logSumExp[this.thread.y])
    if (this.thread.x === (target | 0)) { p = p - 1.0 }
    return dOut[0] / loss[1] * p`,
}

export function crossEntropyGpu(engine: GpuEngine): CrossEntropyKernel {
  const rowPeak = rowPeakGpu(engine)
  const rowTotal = rowTotalGpu(engine)
  const logSum = engine.kernel(LOG_SUM_EXP)
  const rowLoss = engine.kernel(ROW_LOSS)
  const sum = foldGpu(engine, {
    name: 'sumLosses',
    op: 'sum',
    args: { x: 'buffer' },
    term: (at) => `x[${at}]`,
  })
  const count = foldGpu(engine, {
    name: 'countTargets',
    op: 'sum',
    args: { targets: 'buffer' },
    term: (at) => `(targets[${at}] >= 0 ? 1.0 : 0.0)`,
  })
  const mean = engine.kernel(LOSS_AND_COUNT)
  return (logits, targets, logSumExp, loss, rows, cols) => {
    using peak = engine.scratch(rows)
    using total = engine.scratch(rows)
    using losses = engine.scratch(rows)
    using sumOfRows = engine.scratch(1)
    using countOfRows = engine.scratch(1)
    rowPeak([logits], peak.handle, rows, cols, 1)
    rowTotal([logits, peak.handle], total.handle, rows, cols, 1)
    logSum([peak.handle, total.handle], [rows], logSumExp)
    rowLoss([logits, targets, peak.handle, total.handle, cols, Number.NaN], [rows], losses.handle)
    sum([losses.handle], sumOfRows.handle, 1, rows, 1)
    count([targets], countOfRows.handle, 1, rows, 1)
    mean([sumOfRows.handle, countOfRows.handle], [2], loss)
  }
}

export function crossEntropyGradGpu(engine: GpuEngine): CrossEntropyGradKernel {
  const launch = engine.kernel(GRAD)
  return (logits, targets, logSumExp, loss, dOut, dLogits, rows, cols) =>
    launch([logits, targets, logSumExp, loss, dOut, cols], [cols, rows], dLogits)
}
