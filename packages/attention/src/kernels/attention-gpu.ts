import type { GpuArgument, GpuEngine, GpuKernel, GpuLaunch, Handle } from '@tau/tensor'
import type { AttentionSizes } from './attention-shape.ts'

// Text that both attentions' gpu.js kernels are made of. Every element of a result walks all its pairs (query, key) and makes
// their weights again: portable and exact, without a T × T matrix. In the text `head` counts b·H + h and `kvHead` b·Hkv + hk.

/** Each kernel exists twice: gpu.js has no optional buffers. */
export type Clock = 'clock' | 'none'

/** How a kernel names one query and one key; `head` is always a variable. */
export interface Pair {
  readonly kvHead: string
  readonly query: string
  readonly key: string
}

/** const kvHead of `head`. Whole numbers that count heads are small: their division by way of f32 is exact. */
export const KV_HEAD = 'const kvHead = Math.floor((head + 0.5) / group)'

/** const batch and h of `head`. */
export const BATCH = `const batch = Math.floor((head + 0.5) / heads)
    const h = head - batch * heads`

export const queryRow = ({ query }: Pair): string => `((head | 0) * queries + ${query})`
export const keyRow = ({ kvHead, key }: Pair): string => `((${kvHead} | 0) * capacity + ${key})`

/** The clock at a key's time; needs BATCH. */
export const reading = (time: string): string =>
  `clock[(batch | 0) * clockBatch + (h | 0) * capacity + ${time}]`

const SIZES = ['heads', 'group', 'queries', 'keys', 'valueDim', 'capacity', 'clockBatch'] as const

/** The sizes that every kernel takes after its buffers, in the order of {@link sizeArgs}. */
export function attentionArgs(
  buffers: readonly string[],
  clock: Clock,
  rest: Readonly<Record<string, GpuArgument>> = {},
): GpuKernel['args'] {
  const named = (names: readonly string[], kind: GpuArgument) =>
    Object.fromEntries(names.map((name) => [name, kind]))
  return {
    ...named(clock === 'clock' ? [...buffers, 'clock'] : buffers, 'buffer'),
    ...named(SIZES, 'int'),
    ...rest,
  }
}

/** The clock's buffer, if there is one, and the sizes. */
export function sizeArgs(clock: Handle | undefined, sizes: AttentionSizes): number[] {
  const { heads, kvHeads, queries, keys, valueDim, capacity, clockBatch } = sizes
  const numbers = [heads, heads / kvHeads, queries, keys, valueDim, capacity, clockBatch]
  return clock === undefined ? numbers : [clock, ...numbers]
}

/** The launcher of a kernel with a clock and of the one without. */
export function byClock(
  engine: GpuEngine,
  define: (clock: Clock) => GpuKernel,
): (clock: Handle | undefined) => GpuLaunch {
  const launches = { clock: engine.kernel(define('clock')), none: engine.kernel(define('none')) }
  return (clock) => launches[clock === undefined ? 'none' : 'clock']
}

/** A kernel that sums over the keys of a query: `body` runs for every visible key j; thread.y is the query, thread.z the head. */
export const overVisibleKeys = (before: string, body: string, after: string): string => `
    const head = this.thread.z
    ${KV_HEAD}
    ${BATCH}
    ${before}
    for (let j = 0; j < keys; j++) {
      if (j <= this.thread.y + keys - queries) {${body}
      }
    }
    ${after}`

/** The pair inside {@link overVisibleKeys}. */
export const FORWARD: Pair = { kvHead: 'kvHead', query: 'this.thread.y', key: '(j | 0)' }

/** A kernel that sums over the queries of one head that see a key: thread (key, head). */
export const overQueriesOfHead = (body: (pair: Pair) => string): string => `
    const head = this.thread.y
    ${KV_HEAD}
    ${BATCH}
    let total = 0.0
    for (let i = 0; i < queries; i++) {
      if (this.thread.x <= i + keys - queries) {${body({ kvHead: 'kvHead', query: '(i | 0)', key: 'this.thread.x' })}
      }
    }
    return total`

/** A kernel that sums over the queries of all heads of a group that see a key. */
export const overQueriesOfGroup = (
  kvHead: 'this.thread.y' | 'this.thread.z',
  key: 'this.thread.x' | 'this.thread.y',
  body: (pair: Pair) => string,
): string => `
    let total = 0.0
    for (let g = 0; g < group; g++) {
      const head = ${kvHead} * group + g
      ${BATCH}
      for (let i = 0; i < queries; i++) {
        if (${key} <= i + keys - queries) {${body({ kvHead, query: '(i | 0)', key })}
        }
      }
    }
    return total`
