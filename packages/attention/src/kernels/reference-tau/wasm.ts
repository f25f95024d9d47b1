import { type CpuEngine, rowGrain, touches } from '@tau/tensor/kernel'
import { attentionWasm } from '../cpu-module.ts'
import type { ReferenceTauKernel } from './reference-tau.ts'

export function referenceTauWasm(engine: CpuEngine): ReferenceTauKernel {
  const launch = engine.kernel(attentionWasm, 'referenceTau')
  return (x, out, rows, cols, middle, floor) =>
    launch(
      [x, out, cols, middle === 'median' ? 1 : 0, floor],
      rows,
      rowGrain(cols, 2048),
      touches(rows * (cols + 1)),
    )
}
