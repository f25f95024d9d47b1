import {
  BoundedTauCache,
  calibrateTau,
  type LaplacianTensor,
  lambdaAttention,
  referenceTau,
  rotaryTaumode,
  TauCache,
  type TauPositions,
  taumode,
} from '@tau/attention'
import type { TauPolicy } from '@tau/graph'
import { concat, reshape, type Tensor } from '@tau/tensor'
import { positiveValues } from '../../parameters/spec.ts'
import { cacheOfInputs } from '../cache.ts'
import { type HeadVectors, QKV_CLAMP } from '../head-vectors.ts'
import type { Attention, AttentionCache, AttentionInputs, CacheForm, KindContext } from '../kind.ts'
import type { TauOptions } from './options.ts'

const MIDDLES = { 'reference-median': 'median', 'reference-mean': 'mean' } as const

/** λ-distance attention of a group of heads. */
export class LambdaAttention implements Attention {
  readonly #context: KindContext
  readonly #options: TauOptions
  readonly #laplacian: LaplacianTensor
  /** τ, if it is not learned. Calibration changes it. */
  readonly state: { tau: number }
  readonly recalibrates: boolean
  readonly calibrate?: (q: Tensor, k: Tensor) => Promise<number>

  constructor(context: KindContext, options: TauOptions) {
    if (!context.laplacian) throw new Error('internal: a tau model must have a Laplacian')
    this.#context = context
    this.#options = options
    this.#laplacian = context.laplacian
    this.state = { tau: options.tau }
    this.recalibrates = options.tauMode === 'adaptive'
    if (options.tauMode === 'fixed' || this.recalibrates) this.calibrate = (q, k) => this.#calibrate(q, k)
  }

  forward(inputs: AttentionInputs): Tensor {
    const lambdas = this.#lambdas(inputs)
    const { v, logDecay } = inputs
    return lambdaAttention({ ...lambdas, v, temperature: this.#temperature, logDecay })
  }

  cache(batch: number, form: CacheForm): AttentionCache {
    const { device, shape } = this.#context
    using _scope = device.scope()
    const { heads, kvHeads, valueDim, hasDecay } = shape
    const sizes = { batch, heads, kvHeads, valueDim, decay: hasDecay, temperature: this.#temperature }
    const positionsOf = (inputs: AttentionInputs): TauPositions => {
      const { v, logDecay } = inputs
      return { ...this.#lambdas(inputs), v, logDecay }
    }
    return form.form === 'exact'
      ? cacheOfInputs(new TauCache(device, sizes), positionsOf)
      : cacheOfInputs(new BoundedTauCache(device, { ...sizes, bins: form.bins }), positionsOf)
  }

  scalars(): Record<string, Tensor> {
    const temperature = this.#temperature
    return this.#middle ? { temperature } : { temperature, tau: this.#tauPerHead }
  }

  get #temperature(): Tensor {
    const { learnTemperature, temperature } = this.#options
    return this.#positive('temperature', learnTemperature, temperature, this.#context.shape.heads)
  }

  get #tauPerHead(): Tensor {
    return this.#positive(
      'tau',
      this.#options.tauMode === 'learned',
      this.state.tau,
      this.#context.shape.kvHeads,
    )
  }

  /** Positive numbers [heads]: the learned ones, or the fixed one for every head. */
  #positive(name: string, learned: boolean, fixed: number, heads: number): Tensor {
    const { device, shape, parameter } = this.#context
    if (!learned) return device.tensor(new Float32Array(heads).fill(fixed), [heads])
    return positiveValues(shape.positiveAs, name, parameter)
  }

  /** τ of λ = E / (E + τ), if vectors do not have their own τ. */
  get #tau(): number | Tensor {
    return this.#options.tauMode === 'learned' ? this.#tauPerHead : this.state.tau
  }

  /** Which statistic of a vector is its own τ, as in the reference code. Undefined if vectors do not have
   *  their own τ. */
  get #middle(): 'median' | 'mean' | undefined {
    const { tauMode } = this.#options
    return tauMode === 'reference-median' || tauMode === 'reference-mean' ? MIDDLES[tauMode] : undefined
  }

  /** λ [B, H, T] of queries and λ [B, Hkv, T] of keys. */
  #lambdas({ q, k, probe }: AttentionInputs): { lambdaQ: Tensor; lambdaK: Tensor } {
    const lambdas = {
      lambdaQ: this.#lambda(q, probe !== undefined),
      lambdaK: this.#lambda(k, probe !== undefined),
    }
    probe?.(lambdas)
    return lambdas
  }

  /** λ [B, heads, T]. One kernel computes it from the projection, if nothing needs the vectors. A probe, an
   *  extra norm, an encoding that is no rotation, and the τ of the reference need them. A τ per vector has no
   *  gradient, as in the reference. */
  #lambda(x: HeadVectors, needsVectors: boolean): Tensor {
    const { eps } = this.#options
    const middle = this.#middle
    const { heads, start, encoding } = x
    if (encoding.rotation && x.isPlain && !needsVectors && !middle)
      return rotaryTaumode(x.projected, this.#laplacian, this.#tau, {
        ...{ heads, clamp: QKV_CLAMP, start, table: encoding.rotation, eps },
      })
    const tau = middle ? referenceTau(x.vectors, middle, eps) : this.#tau
    return taumode(x.vectors, this.#laplacian, tau, { eps })
  }

  /** Sets τ from the energies of all queries and keys. The reads start before this returns, so a scope may
   *  close then. */
  async #calibrate(q: Tensor, k: Tensor): Promise<number> {
    const { tauPolicy, eps } = this.#options
    const rows = ({ shape, size }: Tensor): [number, number] => [size / shape[3], shape[3]]
    const vectors = concat([reshape(q, rows(q)), reshape(k, rows(k))], 0)
    this.state.tau = await calibrateTau(vectors, this.#laplacian, parseTauPolicy(tauPolicy), { eps })
    return this.state.tau
  }
}

/** Converts `median`, `mean` or `percentile:P` to the policy of @tau/graph. */
function parseTauPolicy(policy: string): TauPolicy {
  const [name, value] = policy.split(':')
  if (name === 'percentile') return { name, value: Number(value) }
  if (name === 'median' || name === 'mean') return { name }
  throw new Error(`internal: tauPolicy must be median, mean or percentile:P, got ${policy}`)
}
