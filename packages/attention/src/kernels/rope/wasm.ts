import { type CpuEngine, rowGrain, touches } from '@tau/tensor/kernel'
import { attentionWasm } from '../cpu-module.ts'
import type { RopeKernel } from './rope.ts'

const F32_BYTES = 4

export function ropeWasm(engine: CpuEngine): RopeKernel {
  const launch = engine.kernel(attentionWasm, 'rope')
  return (x, table, out, rows, length, dim, sign) =>
    launch(
      [x, table.handle + table.first * dim * F32_BYTES, out, length, dim, sign],
      rows,
      rowGrain(dim),
      touches((2 * rows + length) * dim),
    )
}
