import { RopeTable, rope } from '@tau/attention'
import type { PositionalKind } from './encoding.ts'

/** Rotary position embedding. Products of q and k depend only on the difference of their positions. */
export const ropeEncoding: PositionalKind = {
  refuses: (dim) => (dim % 2 === 0 ? undefined : 'be even, because RoPE rotates pairs of channels'),
  create(device, { dim, seqLen, ropeBase }) {
    const rotation = new RopeTable(device, dim, seqLen, ropeBase)
    return {
      rotation,
      encode: (x, start) => rope(x, { start, table: rotation }),
      [Symbol.dispose]: () => rotation.dispose(),
    }
  },
}
