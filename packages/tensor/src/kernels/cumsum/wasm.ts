import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { cumsum } from '../../generated/constants.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { CumsumKernel } from './cumsum.ts'

/** Columns per item of `cumsumColumns`. */
const { PANEL } = cumsum

export function cumsumWasm(engine: CpuEngine): CumsumKernel {
  const launchRows = engine.kernel(tensorWasm, 'cumsumRows')
  const launchColumns = engine.kernel(tensorWasm, 'cumsumColumns')
  return (x, out, outer, length, inner, reverse) => {
    const work = touches(2 * outer * length * inner)
    if (inner === 1) launchRows([x, out, length, Number(reverse)], outer, rowGrain(length), work)
    else {
      const panels = outer * Math.ceil(inner / PANEL)
      launchColumns(
        [x, out, length, inner, Number(reverse)],
        panels,
        rowGrain(length * Math.min(inner, PANEL)),
        work,
      )
    }
  }
}
