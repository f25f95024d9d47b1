import { BackendError, type Device, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { checkDevice, refuseTape } from '@tau/tensor/kernel'
import { checkDim } from '../kernels/attention-shape.ts'
import { decayParts, type LogDecay } from '../kernels/decay/decay.ts'
import { kernelsOf } from '../kernels/table.ts'
import { VALUE_FORMATS, type ValueFormat } from '../kernels/tau-cache/layout.ts'
import { checkTruncation, type DecodeCache } from './decode-cache.ts'
import { type CacheOptions, checkGroups, checkQueries } from './options.ts'
import { floatsOf } from './tau-store/bad-values.ts'
import { copyWhole } from './tau-store/position-blocks.ts'
import type { TauStore } from './tau-store/store.ts'
import { StreamStore } from './tau-store/stream-store.ts'
import { TreeStore } from './tau-store/tree-store.ts'

export interface TauCacheOptions extends CacheOptions {
  /** [H], above 0. The cache copies it, because its sums depend on it. */
  temperature: Tensor
  /** How values are kept. With v' the stored value:
   *  - `f32` (default): unchanged;
   *  - `f16`: half precision, |v' − v| ≤ max(2⁻¹¹·|v|, 2⁻²⁵). A |v| above 65504 is an error;
   *  - `int8`: with a scale s = max |v| / 127 per vector, |v' − v| ≤ s/2.
   *  Attention over the stored values is exact. The gpu backend has f32 only. */
  values?: ValueFormat
}

/** New positions of λ-distance attention. */
export interface TauPositions {
  /** [B, H, T] */
  lambdaQ: Tensor
  /** [B, Hkv, T] */
  lambdaK: Tensor
  /** [B, Hkv, T, D] */
  v: Tensor
  /** [B, H, T], readings that continue the earlier ones. Only for a cache with decay. */
  logDecay?: Tensor | LogDecay | undefined
}

/** The state of λ-distance attention between decoding steps: (v, λk) and, with decay, its readings. It does
 *  not keep the keys. `append` the new positions, then `attend` with their queries. The result equals one
 *  full pass, at any temperature, decay and order of λ.
 *
 *  On the cpu backend both steps take O(log T·D) per head for one position. Each query head has a tree over
 *  λ. Its nodes hold sums of values, for queries above and below their keys. Data are kept in blocks of 256
 *  positions. On the gpu backend a query reads all T positions.
 *
 *  It outlives scopes: dispose it. Source: the sums are those of {@link lambdaAttention}; the tree is ours.
 *  See docs/definition.md, section 8. */
export class TauCache implements DecodeCache<TauPositions> {
  readonly #device: Device
  readonly #options: Readonly<CacheOptions>
  readonly #store: TauStore

  /** Throws RangeError unless all sizes are whole and at least 1, and heads are a multiple of kvHeads. On the
   *  cpu backend it also throws if a temperature is not above 0; the gpu backend does not read it. Throws
   *  ShapeError if temperature is not [H]. {@link fork} passes `store`. */
  constructor(device: Device, options: TauCacheOptions, store?: TauStore) {
    const { batch, heads, kvHeads, valueDim, decay, capacity } = options
    this.#device = device
    this.#options = { batch, heads, kvHeads, valueDim, decay, capacity }
    this.#store = store ?? makeStore(device, options)
  }

  /** Positions so far. */
  get length(): number {
    return this.#store.length
  }

  get minLength(): number {
    return Math.min(1, this.length)
  }

  extend({ lambdaQ, ...keys }: TauPositions): Tensor {
    this.append(keys)
    return this.attend({ lambdaQ })
  }

  /** Adds T positions: lambdaK [B, Hkv, T], v [B, Hkv, T, D] and, if the cache has decay, logDecay [B, H, T]
   *  (readings that continue the earlier ones). It copies them. It is not recorded on a tape. One position
   *  takes O(log T·D) per head. Many at once take a sort and O(D) each. Throws ShapeError for wrong shapes.
   *  Throws RangeError, with the value and its place, for λ, values or readings that are not finite, and for
   *  readings that decrease. The cache is unchanged then. The gpu backend does not check values, because that
   *  would read them back. */
  append({ lambdaK, v, logDecay }: Omit<TauPositions, 'lambdaQ'>): void {
    const op = 'TauCache.append'
    const { batch, heads, kvHeads, valueDim } = this.#options
    refuseTape(op, lambdaK, v)
    const parts = this.#checkDecay(op, logDecay)
    const count = lambdaK.shape[2] ?? 0
    checkShape(op, 'lambdaK', lambdaK, [batch, kvHeads, count])
    checkShape(op, 'v', v, [batch, kvHeads, count, valueDim])
    const readings = parts ? [parts.high, ...(parts.low ? [parts.low] : [])] : []
    for (const part of readings) checkShape(op, 'logDecay', part, [batch, heads, count])
    this.#checkDevice(op, lambdaK, v, ...readings)
    this.#store.append({ lambdaK, v, logDecay: parts })
  }

  /** Attention of the newest Tq positions: lambdaQ [B, H, Tq] → [B, H, Tq, D]. On the cpu backend Tq = 1
   *  takes O(log T·D) per head. More queries run the kernel of {@link lambdaAttention} over a copy of the
   *  positions. Throws RangeError if λ is not finite (cpu backend). */
  attend({ lambdaQ }: { lambdaQ: Tensor }): Tensor {
    const { batch, heads } = this.#options
    refuseTape('TauCache.attend', lambdaQ)
    checkQueries('TauCache.attend', 'lambdaQ', lambdaQ, [batch, heads], [], this.length)
    this.#checkDevice('TauCache.attend', lambdaQ)
    return this.#store.attend(lambdaQ)
  }

  /** Keeps the first `length` positions and forgets the newer ones. Throws RangeError if there are fewer. */
  truncate(length: number): void {
    checkTruncation('TauCache.truncate', this, length, '')
    this.#store.truncate(length)
  }

  /** A second cache with the same positions. Both go on independently, and each must be disposed. On the cpu
   *  backend they share the memory of these positions, except for what one of them changes: up to a block of
   *  256 positions and, per new position, its path in the trees. */
  fork(): TauCache {
    const store = this.#store.fork()
    return new TauCache(this.#device, { ...this.#options, temperature: store.temperature }, store)
  }

  /** A copy of λk [B, Hkv, length]. */
  lambdaK(): Tensor {
    return this.#store.lambdaK()
  }

  /** Bytes of positions and trees, with spare capacity. Memory shared with forks counts in full for each of
   *  them. The device's `memory.liveBytes` counts it once. */
  bytes(): number {
    return this.#store.bytes
  }

  /** Forgets all positions and keeps their memory. */
  reset(): void {
    this.#store.reset()
  }

  dispose(): void {
    this.#store[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #checkDecay(op: string, logDecay: Tensor | LogDecay | undefined) {
    if (logDecay && !this.#options.decay)
      throw new ShapeError(
        `${op}: logDecay must be left out of a cache without decay, got ${shapeText(decayParts(logDecay).high.shape)}; construct the cache with decay: true`,
      )
    if (!logDecay && this.#options.decay)
      throw new ShapeError(`${op}: logDecay must be given to a cache with decay, got none`)
    if (!logDecay) return undefined
    const parts = decayParts(logDecay)
    refuseTape(op, parts.high)
    return parts
  }

  #checkDevice(op: string, ...tensors: readonly Tensor[]): void {
    checkDevice(op, this.#store.temperature, ...tensors)
  }
}

function makeStore(device: Device, options: TauCacheOptions): TauStore {
  const op = 'TauCache'
  const { batch, heads, kvHeads, valueDim, decay, temperature, values = 'f32', capacity = 64 } = options
  checkGroups(op, heads, kvHeads)
  if (![batch, heads, kvHeads, valueDim, capacity].every((n) => Number.isInteger(n) && n >= 1))
    throw new RangeError(
      `${op}: sizes must be whole numbers of at least 1, got batch ${batch}, heads ${heads} and ${kvHeads}, valueDim ${valueDim}, capacity ${capacity}`,
    )
  checkDim(op, 'v', valueDim)
  if (!VALUE_FORMATS.includes(values))
    throw new RangeError(`${op}: values must be one of ${VALUE_FORMATS.join(', ')}, got ${values}`)
  refuseTape(op, temperature)
  checkShape(op, 'temperature', temperature, [heads])
  const kernels = kernelsOf(device).tauTree
  if (!kernels && values !== 'f32')
    throw new BackendError(
      `${op}: values '${values}' needs the cpu backend, got ${device.info.backend}; use 'f32'`,
    )
  if (kernels)
    floatsOf(kernels.words(temperature.handle, heads)).forEach((value, h) => {
      if (!(value > 0 && value < Infinity))
        throw new RangeError(`${op}: temperature must be above 0 and finite, got ${value} at [${h}]`)
    })
  const own = device.unscoped(() => device.empty([heads]))
  copyWhole(temperature, own)
  if (!kernels) return new StreamStore(device, { ...options, capacity }, own)
  const store = new TreeStore(device, kernels, { batch, heads, kvHeads, valueDim, decay, values }, own)
  store.reserve(capacity)
  return store
}

function checkShape(op: string, name: string, tensor: Tensor, expected: readonly number[]): void {
  if (tensor.rank !== expected.length || tensor.shape.some((n, axis) => n !== expected[axis]))
    throw new ShapeError(`${op}: ${name} must be ${shapeText(expected)}, got ${shapeText(tensor.shape)}`)
}
