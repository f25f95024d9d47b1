import { foldGpu, type GpuEngine } from '@tau/tensor/kernel'
import type { RowDotsKernel } from './row-dots.ts'

export function rowDotsGpu(engine: GpuEngine): RowDotsKernel {
  const fold = foldGpu(engine, {
    name: 'rowDots',
    op: 'sum',
    args: { a: 'buffer', b: 'buffer' },
    term: (at) => `a[${at}] * b[${at}]`,
  })
  return (a, b, out, rows, cols) => fold([a, b], out, rows, cols, 1)
}
