import { checkDevice, type Device, refuseTape, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { type ClockFields, cachedClock, clockFields, withReadings } from './cache-clock.ts'
import { GrowingBuffers } from './growing-buffers.ts'
import type { Clock } from './kernels/clock/clock.ts'
import { attend, checkTemperature } from './kernels/lambda-attention/lambda-attention.ts'

export interface TauCacheOptions {
  batch: number
  heads: number
  kvHeads: number
  /** Length of a value vector. */
  valueDim: number
  /** Whether positions come with clock readings. */
  clock: boolean
  /** Positions to make room for at first; default 64. Room doubles when it runs out. */
  capacity?: number
}

/** What λ-distance attention remembers between decoding steps: (v, λk) and, with a clock, its readings; not the keys.
 *  `append` the new positions, then `attend` with their queries: the same numbers as one full pass. Lives until disposed. */
export class TauCache implements Disposable {
  readonly #device: Device
  readonly #options: Readonly<TauCacheOptions>
  readonly #buffers: GrowingBuffers<'lambdaK' | 'v' | ClockFields>

  /** Throws RangeError unless all sizes are whole and at least 1, and heads a multiple of kvHeads. */
  constructor(device: Device, options: TauCacheOptions) {
    const { batch, heads, kvHeads, valueDim, clock, capacity } = options
    checkGroups('TauCache', heads, kvHeads)
    this.#device = device
    this.#options = options
    this.#buffers = new GrowingBuffers(
      'TauCache.append',
      device,
      batch,
      [
        ['lambdaK', { heads: kvHeads, width: 1 }],
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

  /** Adds T positions: lambdaK [B, Hkv, T], v [B, Hkv, T, D] and, if the cache has one, clock [B, H, T] (readings that continue
   *  those before). Copies; not recorded on a tape. */
  append({ lambdaK, v, clock }: { lambdaK: Tensor; v: Tensor; clock?: Tensor | Clock }): void {
    refuseTape('TauCache.append', lambdaK, v)
    withReadings('TauCache.append', this.#options.clock, clock, (readings) =>
      this.#buffers.append(new Map([['lambdaK', lambdaK], ['v', v], ...readings])),
    )
  }

  /** Attention of the newest Tq positions: lambdaQ [B, H, Tq], temperature [H] → [B, H, Tq, D]. */
  attend({ lambdaQ, temperature }: { lambdaQ: Tensor; temperature: Tensor }): Tensor {
    refuseTape('TauCache.attend', lambdaQ, temperature)
    const { batch, heads, kvHeads, valueDim, clock } = this.#options
    checkDevice('TauCache.attend', lambdaQ, this.#buffers.tensor('v'))
    checkQueries('TauCache.attend', 'lambdaQ', lambdaQ, [batch, heads], [], this.length)
    checkTemperature('TauCache.attend', temperature, heads, lambdaQ)
    const { capacity } = this.#buffers
    return attend(
      this.#device,
      {
        lambdaQ: lambdaQ.handle,
        lambdaK: this.#buffers.tensor('lambdaK').handle,
        v: this.#buffers.tensor('v').handle,
        temperature: temperature.handle,
        clock: clock ? cachedClock(this.#buffers) : undefined,
      },
      {
        ...{ batch, heads, kvHeads, queries: lambdaQ.shape[2], keys: this.length, valueDim, capacity },
        clockBatch: heads * capacity,
      },
    )
  }

  /** A copy of λk [B, Hkv, length]. */
  lambdaK(): Tensor {
    const { batch, kvHeads } = this.#options
    using copy = this.#buffers.copy('lambdaK')
    return copy.view([batch, kvHeads, this.length])
  }

  /** Bytes held, room to spare included. */
  bytes(): number {
    return this.#buffers.bytes
  }

  /** Forgets all positions and keeps the room. */
  reset(): void {
    this.#buffers.reset()
  }

  dispose(): void {
    this.#buffers[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

export function checkGroups(op: string, heads: number, kvHeads: number): void {
  if (!(heads >= 1 && kvHeads >= 1 && heads % kvHeads === 0))
    throw new RangeError(`${op}: heads must be a multiple of kvHeads, got ${heads} and ${kvHeads}`)
}

/** Queries [B, H, Tq, ...rest] with Tq at most the cached length. */
export function checkQueries(
  op: string,
  name: string,
  queries: Tensor,
  lead: readonly number[],
  rest: readonly number[],
  length: number,
): void {
  const expected = [...lead, queries.shape[2] ?? 0, ...rest]
  if (queries.rank !== expected.length || queries.shape.some((n, axis) => n !== expected[axis]))
    throw new ShapeError(
      `${op}: ${name} must be [${[...lead, 'Tq', ...rest].join(', ')}], got ${shapeText(queries.shape)}`,
    )
  if (queries.shape[2] > length)
    throw new ShapeError(
      `${op}: ${name} must be the newest of ${length} cached positions, got ${queries.shape[2]}; append them first`,
    )
}
