import { dotAttention, KvCache } from '@tau/attention'
import { cacheOfInputs } from './cache.ts'
import type { Attention, AttentionInputs, AttentionKind, KindContext } from './kind.ts'

/** Scaled dot-product attention over the newest `window` keys, or over all keys. */
export function dotProduct({ device, shape }: KindContext, window?: number): Attention {
  const positionsOf = ({ q, k, v, logDecay }: AttentionInputs) => ({
    q: q.vectors,
    k: k.vectors,
    v,
    logDecay,
  })
  return {
    forward: (inputs) => dotAttention({ ...positionsOf(inputs), window }),
    cache(batch) {
      const { heads, kvHeads, dim, valueDim, hasDecay } = shape
      const sizes = { batch, heads, kvHeads, keyDim: dim, valueDim, decay: hasDecay }
      return cacheOfInputs(new KvCache(device, { ...sizes, ...(window && { window }) }), positionsOf)
    },
  }
}

export const DOT_REPORT = {
  heading: 'λ',
  about:
    'This model scores queries and keys by their dot product. It has no λ, so there is no distribution to show.',
}

export const dot: AttentionKind = {
  name: 'dot',
  about: 'dot-product attention',
  modelType: 'gpt',
  architecture: 'GPT',
  needsLaplacian: false,
  hasBoundedCache: false,
  options: {},
  parameters: () => [],
  create: (context) => dotProduct(context),
  report: DOT_REPORT,
  distributions: [],
  scalars: [],
}
