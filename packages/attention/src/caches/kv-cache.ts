import type { Device, Tensor } from '@tau/tensor'
import { checkDevice, refuseTape } from '@tau/tensor/kernel'
import type { LogDecay } from '../kernels/decay/decay.ts'
import { attendDot, checkWindow } from '../kernels/dot-attention/dot-attention.ts'
import { checkTruncation, type DecodeCache } from './decode-cache.ts'
import { GrowingBuffers } from './growing-buffers.ts'
import { type CacheOptions, checkGroups, checkQueries } from './options.ts'
import { cachedDecay, type DecayFields, decayFields, withReadings } from './readings.ts'

export interface KvCacheOptions extends CacheOptions {
  /** Length of a query and of a key vector. Default: valueDim. */
  keyDim?: number
  /** Number of newest keys that a query sees, its own included. Default: all. The cache keeps that many
   *  positions and forgets older ones. */
  window?: number
}

/** New positions of dot-product attention. */
export interface KvPositions {
  /** [B, H, T, D] */
  q: Tensor
  /** [B, Hkv, T, D] */
  k: Tensor
  /** [B, Hkv, T, Dv] */
  v: Tensor
  /** [B, H, T], readings that continue the earlier ones. Only for a cache with decay. */
  logDecay?: Tensor | LogDecay | undefined
}

/** The state of dot-product attention between decoding steps: (k, v) and, with decay, its readings. With a
 *  `window` it keeps only the newest positions, so memory does not grow with the context. It is the baseline
 *  of `TauCache` and is used in the same way. It outlives scopes: dispose it. */
export class KvCache implements DecodeCache<KvPositions> {
  readonly #device: Device
  readonly #options: Readonly<KvCacheOptions>
  readonly #keyDim: number
  readonly #window: number
  readonly #buffers: GrowingBuffers<'k' | 'v' | DecayFields>
  /** Number of positions that the window has left behind. Kept positions start at this time. */
  #forgotten = 0

  /** Throws RangeError unless all sizes are whole and at least 1, and heads are a multiple of kvHeads. */
  constructor(device: Device, options: KvCacheOptions) {
    const { batch, heads, kvHeads, valueDim, keyDim = valueDim, decay, capacity } = options
    const { window = Number.POSITIVE_INFINITY } = options
    checkGroups('KvCache', heads, kvHeads)
    checkWindow('KvCache', window)
    this.#device = device
    this.#options = options
    this.#keyDim = keyDim
    this.#window = window
    this.#buffers = new GrowingBuffers(
      'KvCache.append',
      device,
      batch,
      [
        ['k', { heads: kvHeads, width: keyDim }],
        ['v', { heads: kvHeads, width: valueDim }],
        ...decayFields(decay, heads),
      ],
      capacity,
    )
  }

  /** Positions so far. */
  get length(): number {
    return this.#forgotten + this.#buffers.length
  }

  get minLength(): number {
    return this.#forgotten === 0 ? Math.min(1, this.length) : this.#forgotten + this.#window
  }

  extend({ q, ...keys }: KvPositions): Tensor {
    this.append(keys)
    return this.attend({ q })
  }

  /** Adds T positions: k [B, Hkv, T, D], v [B, Hkv, T, Dv] and, if the cache has decay, logDecay [B, H, T]
   *  (readings that continue the earlier ones). It copies them. It is not recorded on a tape. */
  append({ k, v, logDecay }: Omit<KvPositions, 'q'>): void {
    refuseTape('KvCache.append', k, v)
    this.#forgetOld()
    withReadings('KvCache.append', this.#options.decay, logDecay, (readings) =>
      this.#buffers.append(new Map([['k', k], ['v', v], ...readings])),
    )
  }

  /** Frees the positions that no later query sees, once they are at least as many as the window. */
  #forgetOld(): void {
    const spare = this.#buffers.length - this.#window
    if (spare < this.#window) return
    this.#buffers.dropFirst(spare)
    this.#forgotten += spare
  }

  /** Attention of the newest Tq positions: q [B, H, Tq, D] → [B, H, Tq, Dv]. */
  attend({ q }: { q: Tensor }): Tensor {
    refuseTape('KvCache.attend', q)
    const { batch, heads, kvHeads, valueDim, decay } = this.#options
    checkDevice('KvCache.attend', q, this.#buffers.tensor('v'))
    checkQueries('KvCache.attend', 'q', q, [batch, heads], [this.#keyDim], this.#buffers.length)
    const { capacity } = this.#buffers
    const { out, stats } = attendDot(
      this.#device,
      {
        q: q.handle,
        k: this.#buffers.tensor('k').handle,
        v: this.#buffers.tensor('v').handle,
        logDecay: decay ? cachedDecay(this.#buffers) : undefined,
      },
      {
        ...{ batch, heads, kvHeads, queries: q.shape[2], keys: this.#buffers.length, valueDim, capacity },
        window: this.#window,
        ...{ dim: this.#keyDim, scale: 1 / Math.sqrt(this.#keyDim), decayBatch: heads * capacity },
      },
    )
    stats.dispose()
    return out
  }

  /** A copy of the kept keys, the newest last: [B, Hkv, length, D] without a window. */
  k(): Tensor {
    return this.#buffers.copy('k')
  }

  /** Bytes held, with spare capacity. */
  bytes(): number {
    return this.#buffers.bytes
  }

  truncate(length: number): void {
    checkTruncation('KvCache.truncate', this, length, 'because a window has left older positions behind')
    if (length === 0) this.#forgotten = 0
    this.#buffers.truncate(length - this.#forgotten)
  }

  fork(): KvCache {
    const fork = new KvCache(this.#device, { ...this.#options, capacity: this.#buffers.capacity })
    fork.#buffers.take(this.#buffers)
    fork.#forgotten = this.#forgotten
    return fork
  }

  reset(): void {
    this.truncate(0)
  }

  dispose(): void {
    this.#buffers[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
