import type { GpuArgument, GpuEngine, GpuKernel, GpuLaunch } from '@tau/tensor/kernel'
import type { AttentionSizes, DecayBuffers } from './attention-shape.ts'

// Pieces of text for the gpu.js kernels of both attentions. Each thread computes one element of a result. It
// walks over the pairs (query, key) of that element and computes their weights again. That is portable and
// exact, and needs no T × T matrix. In the text `head` counts b·H + h and `kvHead` counts b·Hkv + hk.

/** Each kernel exists in three forms because gpu.js has no optional buffers: with both parts of the decay,
 *  with the high part only, and without decay. */
export type DecayForm = 'pair' | 'high' | 'none'

const DECAY_BUFFERS: Readonly<Record<DecayForm, readonly string[]>> = {
  pair: ['logDecay', 'decayLow'],
  high: ['logDecay'],
  none: [],
}

export const decayForm = (logDecay: DecayBuffers | undefined): DecayForm =>
  logDecay === undefined ? 'none' : logDecay.low === undefined ? 'high' : 'pair'

/** The text that names one query and one key in a kernel. `head` is always a variable. */
export interface Pair {
  readonly kvHead: string
  readonly query: string
  readonly key: string
}

/** Declares `kvHead` of `head`. Counts of heads are small, so dividing them in f32 is exact. */
export const KV_HEAD = 'const kvHead = Math.floor((head + 0.5) / group)'

/** Declares `batch` and `h` of `head`. */
export const BATCH = `const batch = Math.floor((head + 0.5) / heads)
    const h = head - batch * heads`

export const queryRow = ({ query }: Pair): string => `((head | 0) * queries + ${query})`
export const keyRow = ({ kvHead, key }: Pair): string => `((${kvHead} | 0) * capacity + ${key})`

/** Text for the two parts of the decay reading at a key's time. A missing part is 0. It needs
 *  {@link BATCH}. */
export function reading(form: DecayForm, time: string): { high: string; low: string } {
  const at = `[(batch | 0) * decayBatch + (h | 0) * capacity + ${time}]`
  return {
    high: form === 'none' ? '0.0' : `logDecay${at}`,
    low: form === 'pair' ? `decayLow${at}` : '0.0',
  }
}

/** Text for the reading at a key's time minus another reading, whose parts are `since`. */
export function elapsed(form: DecayForm, time: string, since: { high: string; low: string }): string {
  const { high, low } = reading(form, time)
  if (form === 'none') return '0.0'
  const difference = `(${high} - ${since.high})`
  return form === 'high' ? difference : `(${difference} + (${low} - ${since.low}))`
}

/** Adds `value` to `total` with Kahan's compensation. It needs {@link TOTAL}. Sums of hundreds of f32 are
 *  then exact to a few 1e-7. */
export const addToTotal = (value: string): string => `
          const term = ${value} - lost
          const next = total + term
          lost = (next - total) - term
          total = next`

export const TOTAL = `let total = 0.0
    let lost = 0.0`

const SIZES = ['heads', 'group', 'queries', 'keys', 'valueDim', 'capacity', 'decayBatch'] as const

/** Arguments of a kernel: its buffers, the decay's buffers, and the sizes in the order of
 *  {@link sizeArgs}. */
export function attentionArgs(
  buffers: readonly string[],
  logDecay: DecayForm,
  rest: Readonly<Record<string, GpuArgument>> = {},
): GpuKernel['args'] {
  const named = (names: readonly string[], kind: GpuArgument) =>
    Object.fromEntries(names.map((name) => [name, kind]))
  return {
    ...named([...buffers, ...DECAY_BUFFERS[logDecay]], 'buffer'),
    ...named(SIZES, 'int'),
    ...rest,
  }
}

/** The buffers of the decay, if there are any, and the sizes. */
export function sizeArgs(logDecay: DecayBuffers | undefined, sizes: AttentionSizes): number[] {
  const { heads, kvHeads, queries, keys, valueDim, capacity, decayBatch } = sizes
  const buffers = [logDecay?.high, logDecay?.low].filter((handle) => handle !== undefined)
  return [...buffers, heads, heads / kvHeads, queries, keys, valueDim, capacity, decayBatch]
}

/** Compiles the three forms of a kernel. The result picks the launcher for a given decay. */
export function byDecay(
  engine: GpuEngine,
  define: (logDecay: DecayForm) => GpuKernel,
): (logDecay: DecayBuffers | undefined) => GpuLaunch {
  const launches = {
    pair: engine.kernel(define('pair')),
    high: engine.kernel(define('high')),
    none: engine.kernel(define('none')),
  }
  return (logDecay) => launches[decayForm(logDecay)]
}

/** Text of the condition that a query sees a key. Attention with a window brings its own. */
export type Sees = (query: string, key: string) => string
export const CAUSAL: Sees = (query, key) => `${key} <= ${query} + keys - queries`

/** Body of a kernel that walks over the keys of a query. `body` runs for every visible key j. See
 *  {@link FORWARD} and {@link BY_ROW}. */
export const overVisibleKeys = (
  before: string,
  body: string,
  after: string,
  { query, head } = { query: FORWARD.query, head: 'this.thread.z' },
  sees = CAUSAL,
): string => `
    const head = ${head}
    ${KV_HEAD}
    ${BATCH}
    ${before}
    for (let j = 0; j < keys; j++) {
      if (${sees(query, 'j')}) {${body}
      }
    }
    ${after}`

/** The pair inside {@link overVisibleKeys} if a thread handles (anything, query, head). */
export const FORWARD: Pair = { kvHead: 'kvHead', query: 'this.thread.y', key: '(j | 0)' }
/** The pair if a thread handles (query, head). */
export const BY_ROW: Pair = { kvHead: 'kvHead', query: 'this.thread.x', key: '(j | 0)' }

/** Body of a kernel that sums over the queries of one head that see a key. Each thread handles one
 *  (key, head). */
export const overQueriesOfHead = (body: (pair: Pair) => string, sees = CAUSAL): string => `
    const head = this.thread.y
    ${KV_HEAD}
    ${BATCH}
    ${TOTAL}
    for (let i = 0; i < queries; i++) {
      if (${sees('i', 'this.thread.x')}) {${body({ kvHead: 'kvHead', query: '(i | 0)', key: 'this.thread.x' })}
      }
    }
    return total`

/** Body of a kernel that sums over the queries that see a key, in all heads of a group. */
export const overQueriesOfGroup = (
  kvHead: 'this.thread.y' | 'this.thread.z',
  key: 'this.thread.x' | 'this.thread.y',
  body: (pair: Pair) => string,
  sees = CAUSAL,
): string => `
    ${TOTAL}
    for (let g = 0; g < group; g++) {
      const head = ${kvHead} * group + g
      ${BATCH}
      for (let i = 0; i < queries; i++) {
        if (${sees('i', key)}) {${body({ kvHead, query: '(i | 0)', key })}
        }
      }
    }
    return total`
