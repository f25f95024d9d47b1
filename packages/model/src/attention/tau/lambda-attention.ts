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
  /** τ when it is not learned; changed by calibration. */
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

  /** A learned positive number per head, or the fixed one for all. */
  #positive(name: string, learned: boolean, fixed: number, heads: number): Tensor {
    const { device, shape, parameter } = this.#context
    if (!learned) return device.tensor(new Float32Array(heads).fill(fixed), [heads])
    return positiveValues(shape.positiveAs, name, parameter)
  }

  /** τ of λ = E / (E + τ), where it is not each vector's own. */
  get #tau(): number | Tensor {
    return this.#options.tauMode === 'learned' ? this.#tauPerHead : this.state.tau
  }

  /** What of each vector is its own τ, as in the reference code; undefined for any other τ. */
  get #middle(): 'median' | 'mean' | undefined {
    const { tauMode } = this.#options
    return tauMode === 'reference-median' || tauMode === 'reference-mean' ? MIDDLES[tauMode] : undefined
  }

  /** λ of queries and keys. */
  #lambdas({ q, k, probe }: AttentionInputs): { lambdaQ: Tensor; lambdaK: Tensor } {
    const lambdas = {
      lambdaQ: this.#lambda(q, probe !== undefined),
      lambdaK: this.#lambda(k, probe !== undefined),
    }
    probe?.(lambdas)
    return lambdas
  }

  /** λ [B, heads, T]. One kernel makes it of the projection, unless somebody needs the vectors: a probe, a norm of their own, or
   *  the reference's τ. Per-vector τ of the reference takes no gradient, as there. */
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

  /** Takes the energies of all queries and keys; reads begin before this returns, so that a scope may close then. */
  async #calibrate(q: Tensor, k: Tensor): Promise<number> {
    const { tauPolicy, eps } = this.#options
    const rows = ({ shape, size }: Tensor): [number, number] => [size / shape[3], shape[3]]
    const vectors = concat([reshape(q, rows(q)), reshape(k, rows(k))], 0)
    this.state.tau = await calibrateTau(vectors, this.#laplacian, parseTauPolicy(tauPolicy), { eps })
    return this.state.tau
  }
}

/** `median`, `mean` or `percentile:P` as @tau/graph's policy. */
function parseTauPolicy(policy: string): TauPolicy {
  const [name, value] = policy.split(':')
  if (name === 'percentile') return { name, value: Number(value) }
  if (name === 'median' || name === 'mean') return { name }
  throw new Error(`internal: tauPolicy must be median, mean or percentile:P, got ${policy}`)
}
