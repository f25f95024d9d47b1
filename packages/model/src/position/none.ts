import type { PositionalKind } from './encoding.ts'

/** q and k do not know their positions; decay and token shift are then all that does. */
export const noEncoding: PositionalKind = {
  create: () => ({ rotation: undefined, encode: (x) => x, [Symbol.dispose]: () => {} }),
}
