import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { logText } from '../../backends/gpu/text.ts'
import { clampGpu } from '../clamp/gpu.ts'
import { foldGpu } from '../reduce/gpu-fold.ts'
import { softcapGpu } from '../softcap/gpu.ts'
import { rowPeakGpu, rowTotalGpu } from '../softmax/gpu.ts'
import type { LogitLossKernel, ScaleInPlaceKernel, TargetCountKernel } from './linear-cross-entropy.ts'

const AT_LEAST_ONE: GpuKernel = {
  name: 'atLeastOne',
  args: { x: 'buffer' },
  body: `
    if (x[0] > 1.0) { return x[0] }
    return 1`,
}

/** Rows outside the chunk keep their losses. They are copied, because a kernel writes its whole output. */
const LOSSES: GpuKernel = {
  name: 'logitLosses',
  args: {
    y: 'buffer',
    targets: 'buffer',
    peak: 'buffer',
    total: 'buffer',
    losses: 'buffer',
    first: 'int',
    rows: 'int',
    cols: 'int',
    nan: 'float',
  },
  body: `
    if (this.thread.x < first || this.thread.x >= first + rows) { return losses[this.thread.x] }
    const target = targets[this.thread.x]
    if (target < 0) { return 0 }
    if (target >= cols) { return nan }
    const behind = peak[this.thread.x - first] - y[(this.thread.x - first) * cols + (target | 0)]
    const sum = total[this.thread.x - first]
    ${logText('logSum', 'sum')}
    return logSum + behind`,
}

/** If cap is 0, there is no cap. */
const GRADIENT: GpuKernel = {
  name: 'logitGradient',
  args: {
    z: 'buffer',
    y: 'buffer',
    targets: 'buffer',
    peak: 'buffer',
    total: 'buffer',
    count: 'buffer',
    first: 'int',
    cols: 'int',
    limit: 'float',
    cap: 'float',
  },
  body: `
    const target = targets[first + this.thread.y]
    if (target < 0) { return 0 }
    const v = z[this.thread.y * cols + this.thread.x]
    if (v < -limit || v > limit) { return 0 }
    const bounded = y[this.thread.y * cols + this.thread.x]
    let p = Math.exp(bounded - peak[this.thread.y]) / total[this.thread.y]
    if (this.thread.x === (target | 0)) { p = p - 1.0 }
    if (cap === 0.0) { return p / count[0] }
    const t = bounded / cap
    return p / count[0] * (1 - t * t)`,
}

const SCALE: GpuKernel = {
  name: 'scaleInPlace',
  args: { x: 'buffer', factor: 'buffer' },
  body: 'return x[this.thread.x] * factor[0]',
}

export function targetCountGpu(engine: GpuEngine): TargetCountKernel {
  const sum = foldGpu(engine, {
    name: 'targetCount',
    op: 'sum',
    args: { targets: 'buffer' },
    term: (at) => `(targets[${at}] >= 0 ? 1.0 : 0.0)`,
  })
  const atLeastOne = engine.kernel(AT_LEAST_ONE)
  return (targets, count, rows) => {
    using found = engine.scratch(1)
    sum([targets], found.handle, 1, rows, 1)
    atLeastOne([found.handle], [1], count)
  }
}

/** Clamp, softcap, the parts of softmax and the gradient, in one kernel each. */
export function logitLossGpu(engine: GpuEngine): LogitLossKernel {
  const clampTo = clampGpu(engine)
  const capTo = softcapGpu(engine)
  const rowPeak = rowPeakGpu(engine)
  const rowTotal = rowTotalGpu(engine)
  const lossesOf = engine.kernel(LOSSES)
  const gradientOf = engine.kernel(GRADIENT)
  return (logits, targets, count, losses, { rows, cols, first, clamp, softcap, gradient }) => {
    const n = rows * cols
    using y = engine.scratch(n)
    using peak = engine.scratch(rows)
    using total = engine.scratch(rows)
    clampTo(logits, y.handle, -clamp, clamp, n)
    if (softcap > 0) capTo(y.handle, y.handle, softcap, n)
    rowPeak([y.handle], peak.handle, rows, cols, 1)
    rowTotal([y.handle, peak.handle], total.handle, rows, cols, 1)
    const saved = [peak.handle, total.handle] as const
    const tokens = engine.lengthOf(losses)
    lossesOf([y.handle, targets, ...saved, losses, first, rows, cols, Number.NaN], [tokens], losses)
    if (!gradient) return
    const shifted = [logits, y.handle, targets, ...saved, count, first, cols]
    gradientOf([...shifted, clamp, softcap], [cols, rows], logits)
  }
}

export function scaleInPlaceGpu(engine: GpuEngine): ScaleInPlaceKernel {
  const launch = engine.kernel(SCALE)
  return (x, factor, n) => launch([x, factor], [n], x)
}
