import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN, rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { ELEMENT_BYTES } from '../../dtype.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { LogitLossKernel, ScaleInPlaceKernel, TargetCountKernel } from './linear-cross-entropy.ts'

export function targetCountWasm(engine: CpuEngine): TargetCountKernel {
  const launch = engine.kernel(tensorWasm, 'targetCount')
  return (targets, count, rows) => launch([targets, count, rows], 1, 1, touches(rows))
}

export function logitLossWasm(engine: CpuEngine): LogitLossKernel {
  const launch = engine.kernel(tensorWasm, 'logitLoss')
  return (logits, targets, count, losses, { rows, cols, first, clamp, softcap, gradient }) => {
    const skipped = first * ELEMENT_BYTES
    const rowwise = [targets + skipped, count, losses + skipped]
    const args = [logits, ...rowwise, cols, clamp, softcap, gradient ? 1 : 0]
    launch(args, rows, rowGrain(cols), touches(rows * ((gradient ? 2 : 1) * cols + 2)))
  }
}

export function scaleInPlaceWasm(engine: CpuEngine): ScaleInPlaceKernel {
  const launch = engine.kernel(tensorWasm, 'scaleInPlace')
  const work = touches(1) // at least this; a factor of 1 leaves x unchanged
  return (x, factor, n) => launch([x, factor], n, ELEMENT_GRAIN, work)
}
