import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { TransposeKernel } from './transpose.ts'

/** Rows of the result per item of `transposeElements`: a cache line of the source. */
const PANEL = 16

export function transposeWasm(engine: CpuEngine): TransposeKernel {
  const launchElements = engine.kernel(tensorWasm, 'transposeElements')
  const launchRuns = engine.kernel(tensorWasm, 'transposeRuns')
  return (x, out, outer, a, b, inner) => {
    if (inner === 0 || a === 0) return
    const work = touches(2 * outer * a * b * inner)
    if (inner === 1) launchElements([x, out, a, b], outer * Math.ceil(b / PANEL), rowGrain(PANEL * a), work)
    else launchRuns([x, out, a, b, inner], outer * b, rowGrain(a * inner), work)
  }
}
