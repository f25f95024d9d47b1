import type { PositionalKind } from './encoding.ts'

/** No positional encoding: q and k do not depend on their positions. Only decay and token shift do. */
export const noEncoding: PositionalKind = {
  create: () => ({ rotation: undefined, encode: (x) => x, [Symbol.dispose]: () => {} }),
}
