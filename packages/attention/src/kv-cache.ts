import { checkDevice, type Device, refuseTape, type Tensor } from '@tau/tensor'
import { type ClockFields, cachedClock, clockFields, withReadings } from './cache-clock.ts'
import { type CacheOptions, checkGroups, checkQueries } from './cache-options.ts'
import { GrowingBuffers } from './growing-buffers.ts'
import type { Clock } from './kernels/clock/clock.ts'
import { attendDot } from './kernels/dot-attention/dot-attention.ts'

export interface KvCacheOptions extends CacheOptions {
  /** Length of a query and of a key vector; default: valueDim. */
  keyDim?: number
}

/** What dot-product attention remembers between decoding steps: (k, v) and, with a clock, its readings. The baseline of
 *  `TauCache`, used the same way. Lives until disposed. */
export class KvCache implements Disposable {
  readonly #device: Device
  readonly #options: Readonly<KvCacheOptions>
  readonly #keyDim: number
  readonly #buffers: GrowingBuffers<'k' | 'v' | ClockFields>

  /** Throws RangeError unless all sizes are whole and at least 1, and heads a multiple of kvHeads. */
  constructor(device: Device, options: KvCacheOptions) {
    const { batch, heads, kvHeads, valueDim, keyDim = valueDim, clock, capacity } = options
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
        ...clockFields(clock, heads),
      ],
      capacity,
    )
  }

  /** Positions so far. */
  get length(): number {
    return this.#buffers.length
  }

  /** Adds T positions: k [B, Hkv, T, D], v [B, Hkv, T, Dv] and, if the cache has one, clock [B, H, T] (readings that continue
   *  those before). Copies; not recorded on a tape. */
  append({ k, v, clock }: { k: Tensor; v: Tensor; clock?: Tensor | Clock }): void {
    refuseTape('KvCache.append', k, v)
    withReadings('KvCache.append', this.#options.clock, clock, (readings) =>
      this.#buffers.append(new Map([['k', k], ['v', v], ...readings])),
    )
  }

  /** Attention of the newest Tq positions: q [B, H, Tq, D] → [B, H, Tq, Dv]. */
  attend({ q }: { q: Tensor }): Tensor {
    refuseTape('KvCache.attend', q)
    const { batch, heads, kvHeads, valueDim, clock } = this.#options
    checkDevice('KvCache.attend', q, this.#buffers.tensor('v'))
    checkQueries('KvCache.attend', 'q', q, [batch, heads], [this.#keyDim], this.length)
    const { capacity } = this.#buffers
    const { out, stats } = attendDot(
      this.#device,
      {
        q: q.handle,
        k: this.#buffers.tensor('k').handle,
        v: this.#buffers.tensor('v').handle,
        clock: clock ? cachedClock(this.#buffers) : undefined,
      },
      {
        ...{ batch, heads, kvHeads, queries: q.shape[2], keys: this.length, valueDim, capacity },
        ...{ dim: this.#keyDim, scale: 1 / Math.sqrt(this.#keyDim), clockBatch: heads * capacity },
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
