import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { F64_BYTES } from '../../dtype.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { CrossEntropyGradKernel, CrossEntropyKernel } from './cross-entropy.ts'

export function crossEntropyWasm(engine: CpuEngine): CrossEntropyKernel {
  const launchRows = engine.kernel(tensorWasm, 'crossEntropyRows')
  const launchMean = engine.kernel(tensorWasm, 'crossEntropyMean')
  return (logits, targets, logSumExp, loss, rows, cols) => {
    using losses = engine.scratch(rows * F64_BYTES)
    const sums = 4 // target, log-sum-exp, and a loss of two words
    launchRows(
      [logits, targets, logSumExp, losses.handle, cols],
      rows,
      rowGrain(cols),
      touches(rows * (cols + sums)),
    )
    launchMean([targets, losses.handle, loss, rows], 1, 1, touches(3 * rows))
  }
}

export function crossEntropyGradWasm(engine: CpuEngine): CrossEntropyGradKernel {
  const launch = engine.kernel(tensorWasm, 'crossEntropyGrad')
  return (logits, targets, logSumExp, loss, dOut, dLogits, rows, cols) =>
    launch(
      [logits, targets, logSumExp, loss, dOut, dLogits, cols],
      rows,
      rowGrain(cols),
      touches(2 * rows * cols),
    )
}
