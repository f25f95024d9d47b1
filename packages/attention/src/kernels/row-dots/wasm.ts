import { type CpuEngine, rowGrain } from '@tau/tensor'
import { attentionWasm } from '../cpu-module.ts'
import type { RowDotsKernel } from './row-dots.ts'

export function rowDotsWasm(engine: CpuEngine): RowDotsKernel {
  const launch = engine.kernel(attentionWasm, 'rowDots')
  return (a, b, out, rows, cols) => launch([a, b, out, cols], rows, rowGrain(cols))
}
