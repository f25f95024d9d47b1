import { BackendError, copyBlock, type Device, ShapeError, shapeText, type Tensor, zeros } from '@tau/tensor'
import { type CpuEngine, checkDevice, refuseTape } from '@tau/tensor/kernel'
import { checkDim } from '../kernels/attention-shape.ts'
import {
  type BoundedTauCacheKernel,
  boundedTauCacheWasm,
  stateBytes,
} from '../kernels/bounded-tau-cache/wasm.ts'
import { decayParts } from '../kernels/decay/decay.ts'
import { checkDecay, checkLambda, checkShape, checkTemperatures, checkValues } from './bounded-checks.ts'
import { checkTruncation, type DecodeCache } from './decode-cache.ts'
import type { TauPositions } from './tau-cache.ts'

export interface BoundedTauCacheOptions {
  batch: number
  heads: number
  kvHeads: number
  /** Length of a value vector. */
  valueDim: number
  /** Whether positions have decay readings. */
  decay: boolean
  /** [H], above 0. It is read once, when the cache is made. */
  temperature: Tensor
  /** M, the number of equal bins of λ between 0 and 1. From 2 to 65536. */
  bins: number
}

type TauKeys = Omit<TauPositions, 'lambdaQ'>

const BYTES = Float32Array.BYTES_PER_ELEMENT
const MAX_BINS = 65_536

/** λ-distance attention over any number of past positions, in memory and time that do not depend on their
 *  number. λ ∈ [0, 1] is cut into M equal bins. The keys are kept only as sums Σ e^(a_j)·[v_j, 1], per bin
 *  and per node of a binary tree over the bins. A token costs O(log M · D) per query head, and the cache
 *  takes about 24·M·(D + 3) bytes per query head. It is used like `TauCache`; `extend` does both steps for
 *  many positions. Only on the cpu backend. It outlives scopes: dispose it.
 *
 *  Exactness. Let q be the query, β = 1 / temperature, and g(k) = e^(−β|q − k|) the exact weight of key k
 *  without decay. All keys outside the query's own bin lie on one side of the query. There g is a product of
 *  a part of the query and a part of the key. So their sums are exact, in f64, at any temperature and decay.
 *  The same holds for the own bin if the query is not strictly between its least and its largest key, `low`
 *  and `high`.
 *
 *  Between `low` and `high` two sums of the bin stand for g:
 *
 *      f(k) = μ(α·e^(β(k − q)) + γ·e^(β(q − k)))
 *
 *  α, γ ≥ 0 are chosen so that f / μ = g at `low` and at `high`. Then f / (μ g) falls from 1 at `low` to
 *  r = α + γ at q, and rises to 1 at `high`. The reason is that on each side it is a constant plus a
 *  nonnegative multiple of e^(∓2βk). With s = q − low and t = high − q:
 *
 *      r = (e^(−2βt) + e^(−2βs) − 2e^(−2β(s+t))) / (1 − e^(−2β(s+t)))
 *
 *  It is least at s = t, where it is 2 / (1 + e^(β(s+t))). Also s + t ≤ w = 1/M. μ = 2 / (1 + r) gives
 *  f = g·(1 + ε) with an error ε of size at most δ = (1 − r) / (1 + r) ≤ (e^(βw) − 1) / (e^(βw) + 3). That is
 *  about βw/4 for fine bins.
 *
 *  Let W_j be the exact weights, W their sum, p the own bin's share of W, and out̃ the result. Then
 *
 *      ‖out̃ − out‖ ≤ δ · p · max_own ‖v_j − out̃‖
 *      ‖out̃ − out‖ ≤ τ · max ‖v_i − v_j‖,   τ = (1 − √r) / (1 + √r)
 *
 *  The first holds because Σ W_j(1 + ε_j)(v_j − out̃) = 0, so out − out̃ = −Σ_own W_j ε_j (v_j − out̃) / W.
 *  The second holds because weights whose ratio to the exact ones varies by at most 1 / r differ from them by
 *  τ in total variation. Its value at r = 2 / (1 + e^(βw)) is {@link errorBound}, which is known beforehand.
 *  Rounding of the result to f32 is added to both. */
export class BoundedTauCache implements DecodeCache<TauPositions> {
  readonly #device: Device
  readonly #engine: CpuEngine
  readonly #options: Readonly<Omit<BoundedTauCacheOptions, 'temperature'>>
  readonly #run: BoundedTauCacheKernel
  /** The cache's own copy, because its sums depend on it. */
  readonly #temperature: Tensor
  readonly #state: Tensor
  /** The newest reading of each query head. */
  readonly #newest: Float64Array
  #length = 0

  /** Throws RangeError unless sizes are whole and at least 1, heads are a multiple of kvHeads, and bins and
   *  temperatures are in range. Throws BackendError on any backend but cpu. */
  constructor(device: Device, options: BoundedTauCacheOptions) {
    const { temperature, ...sizes } = options
    const { batch, heads, kvHeads, valueDim, bins } = sizes
    checkSizes(options)
    checkDim('BoundedTauCache', 'v', valueDim)
    const { engine } = device
    if (engine.backend !== 'cpu')
      throw new BackendError(
        `BoundedTauCache: device must use the cpu backend, got ${engine.backend}; decode on cpu(), or use a TauCache, which keeps all positions`,
      )
    checkTemperatures(engine, device, temperature, heads)
    this.#device = device
    this.#engine = engine
    this.#options = sizes
    const headBytes = stateBytes(bins, valueDim)
    this.#run = boundedTauCacheWasm(engine, { batch, heads, kvHeads, valueDim, bins, stateBytes: headBytes })
    const [state, ownTemperature] = device.unscoped(() => [
      zeros(device, [batch * heads, headBytes / BYTES]),
      device.empty([heads]),
    ])
    this.#state = state
    this.#temperature = ownTemperature
    copyWhole(temperature, ownTemperature)
    this.#newest = new Float64Array(batch * heads).fill(Number.NEGATIVE_INFINITY)
  }

  /** Positions so far. */
  get length(): number {
    return this.#length
  }

  get minLength(): number {
    return this.#length
  }

  /** Adds T positions. It is not recorded on a tape. Throws ShapeError for wrong shapes. Throws RangeError,
   *  with the value and its position, for λ outside [0, 1], for values or readings that are not finite, and
   *  for readings that decrease. The cache is unchanged then. */
  append(keys: TauKeys): void {
    const length = this.#checkKeys('BoundedTauCache.append', keys)
    this.#run(this.#state.handle, this.#temperature.handle, { length, keys: handlesOf(keys) })
    this.#advance(keys, length)
  }

  /** Attention of the newest position: lambdaQ [B, H, 1] → [B, H, 1, D]. */
  attend({ lambdaQ }: { lambdaQ: Tensor }): Tensor {
    const op = 'BoundedTauCache.attend'
    refuseTape(op, lambdaQ)
    checkDevice(op, this.#state, lambdaQ)
    const { batch, heads, valueDim } = this.#options
    if (lambdaQ.rank === 3 && lambdaQ.shape[2] > 1)
      throw new ShapeError(
        `${op}: lambdaQ must hold the newest position only, [${batch}, ${heads}, 1], got ${shapeText(lambdaQ.shape)}; use extend for more`,
      )
    checkShape(op, 'lambdaQ', lambdaQ, [batch, heads, 1])
    if (this.#length === 0)
      throw new ShapeError(
        `${op}: the cache must hold the position of lambdaQ, got 0 positions; append it first`,
      )
    checkLambda(op, 'lambdaQ', lambdaQ, this.#engine)
    const out = this.#device.empty([batch, heads, 1, valueDim])
    this.#run(this.#state.handle, this.#temperature.handle, {
      length: 1,
      queries: { lambdaQ: lambdaQ.handle, out: out.handle },
    })
    return out
  }

  /** Adds T positions one after the other, and attends with each as soon as it is added: lambdaQ [B, H, T] →
   *  [B, H, T, D]. The result has the same bits as T times append and attend. It throws what those throw,
   *  before it changes anything. */
  extend({ lambdaQ, ...keys }: TauPositions): Tensor {
    const op = 'BoundedTauCache.extend'
    refuseTape(op, lambdaQ)
    checkDevice(op, this.#state, lambdaQ)
    const { batch, heads, valueDim } = this.#options
    const length = this.#checkKeys(op, keys)
    checkShape(op, 'lambdaQ', lambdaQ, [batch, heads, length])
    checkLambda(op, 'lambdaQ', lambdaQ, this.#engine)
    const out = this.#device.empty([batch, heads, length, valueDim])
    this.#run(this.#state.handle, this.#temperature.handle, {
      length,
      keys: handlesOf(keys),
      queries: { lambdaQ: lambdaQ.handle, out: out.handle },
    })
    this.#advance(keys, length)
    return out
  }

  /** Bound of the error that the bins cause, for each query head: ‖out̃ − out‖ ≤ errorBound[h] · max
   *  ‖v_i − v_j‖ (see above). */
  errorBound(): Float64Array {
    const { heads, bins } = this.#options
    const temperature = this.#engine.view(this.#temperature.handle, heads)
    return Float64Array.from(temperature, (value) => {
      const least = Math.sqrt(2 / (1 + Math.exp(1 / (value * bins))))
      return (1 - least) / (1 + least)
    })
  }

  /** Sums cannot forget single positions. So `length` must be the present one, or 0, which is {@link reset}.
   *  Throws RangeError for any other. */
  truncate(length: number): void {
    checkTruncation('BoundedTauCache.truncate', this, length, 'because sums cannot forget single positions')
    if (length === 0) this.reset()
  }

  /** A second cache with a copy of all sums. Both go on independently. */
  fork(): BoundedTauCache {
    const copy = new BoundedTauCache(this.#device, { ...this.#options, temperature: this.#temperature })
    copyWhole(this.#state, copy.#state)
    copy.#newest.set(this.#newest)
    copy.#length = this.#length
    return copy
  }

  /** Bytes held. They never change. */
  bytes(): number {
    return BYTES * (this.#state.size + this.#temperature.size)
  }

  /** Forgets all positions. */
  reset(): void {
    this.#engine.view(this.#state.handle, this.#state.size).fill(0)
    this.#newest.fill(Number.NEGATIVE_INFINITY)
    this.#length = 0
  }

  dispose(): void {
    this.#state.dispose()
    this.#temperature.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Returns the number of new positions. */
  #checkKeys(op: string, { lambdaK, v, logDecay }: TauKeys): number {
    const { batch, heads, kvHeads, valueDim } = this.#options
    refuseTape(op, lambdaK, v)
    checkDevice(op, this.#state, lambdaK, v)
    const length = lambdaK.shape[2] ?? 0
    checkShape(op, 'lambdaK', lambdaK, [batch, kvHeads, length])
    checkShape(op, 'v', v, [batch, kvHeads, length, valueDim])
    if (!logDecay !== !this.#options.decay)
      throw new ShapeError(
        logDecay
          ? `${op}: logDecay must be left out of a cache without decay, got ${shapeText(decayParts(logDecay).high.shape)}; construct the cache with decay: true`
          : `${op}: logDecay must be given to a cache with decay, got none`,
      )
    const { high, low } = logDecay ? decayParts(logDecay) : {}
    for (const part of [high, low])
      if (part) {
        refuseTape(op, part)
        checkDevice(op, this.#state, part)
        checkShape(op, 'logDecay', part, [batch, heads, length])
      }
    checkLambda(op, 'lambdaK', lambdaK, this.#engine)
    checkValues(op, v, this.#engine)
    if (high) checkDecay(op, high, low, this.#newest, this.#engine)
    return length
  }

  #advance({ logDecay }: TauKeys, length: number): void {
    this.#length += length
    if (!logDecay || length === 0) return
    const { high, low } = decayParts(logDecay)
    const readings = this.#engine.view(high.handle, high.size)
    const rest = low && this.#engine.view(low.handle, low.size)
    for (let row = 0; row < this.#newest.length; row++) {
      const last = (row + 1) * length - 1
      this.#newest[row] = readings[last] + (rest?.[last] ?? 0)
    }
  }
}

function handlesOf({ lambdaK, v, logDecay }: TauKeys) {
  const { high, low } = logDecay ? decayParts(logDecay) : {}
  return { lambdaK: lambdaK.handle, v: v.handle, logDecay: { high: high?.handle, low: low?.handle } }
}

function copyWhole(source: Tensor, target: Tensor): void {
  copyBlock(
    { tensor: source, offset: 0, stride: source.size },
    { tensor: target, offset: 0, stride: source.size },
    1,
    source.size,
  )
}

function checkSizes({ batch, heads, kvHeads, valueDim, bins }: BoundedTauCacheOptions): void {
  for (const [name, value] of Object.entries({ batch, heads, kvHeads, valueDim }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`BoundedTauCache: ${name} must be a whole number of at least 1, got ${value}`)
  if (heads % kvHeads !== 0)
    throw new RangeError(`BoundedTauCache: heads must be a multiple of kvHeads, got ${heads} and ${kvHeads}`)
  if (!(Number.isInteger(bins) && bins >= 2 && bins <= MAX_BINS))
    throw new RangeError(
      `BoundedTauCache: bins must be a whole number from 2 to ${MAX_BINS}, got ${bins}; 1024 suit temperatures down to 0.01`,
    )
}
