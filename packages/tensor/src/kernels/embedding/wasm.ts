import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN, rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { GatherKernel, ScatterAddKernel } from './embedding.ts'

export function gatherWasm(engine: CpuEngine): GatherKernel {
  const launch = engine.kernel(tensorWasm, 'gather')
  return (table, ids, out, count, tableRows, width) =>
    launch([table, ids, out, tableRows, width], count, rowGrain(width), touches(count * (2 * width + 1)))
}

/** Items are blocks of 16 columns, one cache line of a row. Every tile adds the rows of all ids, in order, to
 *  its own columns. */
const BLOCK = 16

export function scatterAddWasm(engine: CpuEngine): ScatterAddKernel {
  const launch = engine.kernel(tensorWasm, 'scatterAdd')
  return (target, ids, rows, count, tableRows, width) => {
    const work = touches(count * (3 * width + 1)) // reads the rows and reads and writes their targets
    const grain = Math.max(1, Math.floor(ELEMENT_GRAIN / (BLOCK * Math.max(1, count))))
    launch([target, ids, rows, count, tableRows, width], Math.ceil(width / BLOCK), grain, work)
  }
}
