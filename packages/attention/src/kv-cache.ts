import { checkDevice, type Device, refuseTape, type Tensor } from '@tau/tensor'
import { cachedDecay, type DecayFields, decayFields, withReadings } from './cache-decay.ts'
import { type CacheOptions, checkGroups, checkQueries } from './cache-options.ts'
import { GrowingBuffers } from './growing-buffers.ts'
import type { LogDecay } from './kernels/decay/decay.ts'
import { attendDot } from './kernels/dot-attention/dot-attention.ts'

export interface KvCacheOptions extends CacheOptions {
  /** Length of a query and of a key vector; default: valueDim. */
  keyDim?: number
}

/** What dot-product attention remembers between decoding steps: (k, v) and, with decay, its readings. The baseline of
 *  `TauCache`, used the same way. Lives until disposed. */
export class KvCache implements Disposable {
  readonly #device: Device
  readonly #options: Readonly<KvCacheOptions>
  readonly #keyDim: number
  readonly #buffers: GrowingBuffers<'k' | 'v' | DecayFields>

  /** Throws RangeError unless all sizes are whole and at least 1, and heads a multiple of kvHeads. */
  constructor(device: Device, options: KvCacheOptions) {
    const { batch, heads, kvHeads, valueDim, keyDim = valueDim, decay, capacity } = options
    checkGroups('KvCache', heads, kvHeads)
    this.#device = device
    this.#options = options
    this.#keyDim = keyDim
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
    return this.#buffers.length
  }

  /** Adds T positions: k [B, Hkv, T, D], v [B, Hkv, T, Dv] and, if the cache has one, logDecay [B, H, T] (readings that continue
   *  those before). Copies; not recorded on a tape. */
  append({ k, v, logDecay }: { k: Tensor; v: Tensor; logDecay?: Tensor | LogDecay }): void {
    refuseTape('KvCache.append', k, v)
    withReadings('KvCache.append', this.#options.decay, logDecay, (readings) =>
      this.#buffers.append(new Map([['k', k], ['v', v], ...readings])),
    )
  }

  /** Attention of the newest Tq positions: q [B, H, Tq, D] → [B, H, Tq, Dv]. */
  attend({ q }: { q: Tensor }): Tensor {
    refuseTape('KvCache.attend', q)
    const { batch, heads, kvHeads, valueDim, decay } = this.#options
    checkDevice('KvCache.attend', q, this.#buffers.tensor('v'))
    checkQueries('KvCache.attend', 'q', q, [batch, heads], [this.#keyDim], this.length)
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
        ...{ batch, heads, kvHeads, queries: q.shape[2], keys: this.length, valueDim, capacity },
        ...{ dim: this.#keyDim, scale: 1 / Math.sqrt(this.#keyDim), decayBatch: heads * capacity },
      },
    )
    stats.dispose()
    return out
  }

  /** A copy of the keys [B, Hkv, length, D]. */
  k(): Tensor {
    return this.#buffers.copy('k')
  }

  /** Bytes held, room to spare included. */
  bytes(): number {
    return this.#buffers.bytes
  }

  /** Forgets all positions and keeps the room. */
  reset(): void {
    this.#buffers.truncate(0)
  }

  dispose(): void {
    this.#buffers[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
