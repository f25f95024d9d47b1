import type { DecodeCache } from '@tau/attention'
import type { AttentionCache, AttentionInputs } from './kind.ts'

/** Wraps the cache of a kind into a cache that takes the inputs of attention. `positionsOf` converts the
 *  inputs. It runs before the cache changes. */
export const cacheOfInputs = <Positions>(
  cache: DecodeCache<Positions>,
  positionsOf: (inputs: AttentionInputs) => Positions,
): AttentionCache => ({
  own: cache,
  get length() {
    return cache.length
  },
  get minLength() {
    return cache.minLength
  },
  extend: (inputs) => cache.extend(positionsOf(inputs)),
  truncate: (length) => cache.truncate(length),
  fork: () => cacheOfInputs(cache.fork(), positionsOf),
  reset: () => cache.reset(),
  bytes: () => cache.bytes(),
  dispose: () => cache.dispose(),
  [Symbol.dispose]: () => cache.dispose(),
})
