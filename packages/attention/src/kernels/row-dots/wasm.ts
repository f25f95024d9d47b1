import { type CpuEngine, rowGrain, touches } from '@tau/tensor/kernel'
import { rowDots } from '../../generated/constants.ts'
import { attentionWasm } from '../cpu-module.ts'
import type { RowDotsKernel } from './row-dots.ts'

/** Rows per work item. */
const { LANES } = rowDots

export function rowDotsWasm(engine: CpuEngine): RowDotsKernel {
  const launch = engine.kernel(attentionWasm, 'rowDots')
  return (a, b, out, rows, cols) =>
    launch(
      [a, b, out, rows, cols],
      Math.ceil(rows / LANES),
      rowGrain(LANES * cols),
      touches(rows * (2 * cols + 1)),
    )
}
