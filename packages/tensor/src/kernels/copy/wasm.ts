import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN, rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { ELEMENT_BYTES } from '../../dtype.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { CopyKernel } from './copy.ts'

export function copyWasm(engine: CpuEngine): CopyKernel {
  const launchRows = engine.kernel(tensorWasm, 'copyRows')
  const launchElements = engine.kernel(tensorWasm, 'copyElements')
  return (source, target, rows, cols) => {
    const from = source.handle + source.offset * ELEMENT_BYTES
    const to = target.handle + target.offset * ELEMENT_BYTES
    const work = touches(2 * rows * cols)
    // If both sides are contiguous, the copy can be split anywhere.
    if (rows === 1 || (source.stride === cols && target.stride === cols))
      launchElements([from, to], rows * cols, ELEMENT_GRAIN, work)
    else launchRows([from, to, source.stride, target.stride, cols], rows, rowGrain(cols), work)
  }
}
