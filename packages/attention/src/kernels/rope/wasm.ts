import { type CpuEngine, ELEMENT_BYTES, rowGrain, touches } from '@tau/tensor/kernel'
import { attentionWasm } from '../cpu-module.ts'
import type { RopeKernel } from './rope.ts'

export function ropeWasm(engine: CpuEngine): RopeKernel {
  const launch = engine.kernel(attentionWasm, 'rope')
  return (x, table, out, rows, length, dim, sign) =>
    launch(
      [x, table.handle + table.first * dim * ELEMENT_BYTES, out, length, dim, sign],
      rows,
      rowGrain(dim),
      touches((2 * rows + length) * dim),
    )
}
