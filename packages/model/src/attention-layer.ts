import {
  BoundedTauCache,
  constantDecay,
  dotAttention,
  forgetGateDecay,
  KvCache,
  type LaplacianTensor,
  type LogDecay,
  lambdaAttention,
  type RopeTable,
  referenceTau,
  rope,
  rotaryTaumode,
  TauCache,
  taumode,
  tokenShift,
} from '@tau/attention'
import {
  add,
  clamp,
  copyBlock,
  type Device,
  exp,
  layerNorm,
  linear,
  mul,
  permute,
  reshape,
  rmsNorm,
  silu,
  slice,
  type Tensor,
} from '@tau/tensor'
import { headDim, type ModelConfig, manifoldDim, QKV_CLAMP } from './config.ts'

/** What one layer computed, for reports: see {@link GPT.forward}. Tensors live as long as the caller's scope. */
export interface LayerProbe {
  readonly layer: number
  /** Normalised q and k that λ is taken of: [B, H, T, M], [B, Hkv, T, M]. */
  readonly q: Tensor
  readonly k: Tensor
  /** [B, H, T] and [B, Hkv, T]; undefined for dot attention. */
  readonly lambdaQ?: Tensor
  readonly lambdaK?: Tensor
  /** [B, H, T], from the start of the sequence; undefined without a clock. */
  readonly clock?: Tensor
}

export interface DecodeOptions {
  /** `exact` keeps every position, at most seqLen of them. `bounded`, for tau attention on the cpu backend, keeps sums over `bins` bins
   *  of λ instead: memory and time per token do not depend on the context, which has no end, and results are within the bound
   *  of BoundedTauCache. Default exact. */
  cache?: 'exact' | 'bounded'
  /** Of a bounded cache, 2 to 65536. Default 1024. */
  bins?: number
}

const DEFAULT_BINS = 1024

/** What a layer remembers between decoding steps. */
export class LayerState implements Disposable {
  readonly cache: TauCache | BoundedTauCache | KvCache
  /** The newest normalised input [B, 1, C], for the token shift. */
  readonly previous: Tensor
  /** The newest clock reading [B, H, 1]. */
  readonly clock: LogDecay

  constructor(
    device: Device,
    config: ModelConfig,
    batch: number,
    layer: AttentionLayer,
    options: DecodeOptions,
  ) {
    const { nHead: heads, nKvHead: kvHeads } = config
    const { cache = 'exact', bins = DEFAULT_BINS } = options
    const common = { batch, heads, kvHeads, valueDim: headDim(config), decay: config.clock !== 'none' }
    if (config.attention === 'dot')
      this.cache = new KvCache(device, { ...common, keyDim: manifoldDim(config) })
    else {
      using _scope = device.scope()
      const { temperature } = layer
      this.cache =
        cache === 'exact'
          ? new TauCache(device, { ...common, temperature })
          : new BoundedTauCache(device, { ...common, bins, temperature })
    }
    this.previous = device.tensor(new Float32Array(batch * config.nEmbd), [batch, 1, config.nEmbd])
    const atRest = () => device.tensor(new Float32Array(batch * heads), [batch, heads, 1])
    this.clock = { high: atRest(), low: atRest() }
  }

  /** Positions decoded so far. */
  get length(): number {
    return this.cache.length
  }

  [Symbol.dispose](): void {
    this.cache.dispose()
    this.previous.dispose()
    this.clock.high.dispose()
    this.clock.low.dispose()
  }
}

/** One attention layer: its parameters by their short names, and the formulas of docs/definition.md, section 4. */
export class AttentionLayer {
  readonly #config: ModelConfig
  readonly #layer: number
  readonly #laplacian: LaplacianTensor | undefined
  readonly #angles: RopeTable
  readonly #parameters: ReadonlyMap<string, Tensor>
  /** τ when it is not learned; changed by calibration. */
  tau: number

  constructor(
    config: ModelConfig,
    layer: number,
    parameters: ReadonlyMap<string, Tensor>,
    laplacian: LaplacianTensor | undefined,
    angles: RopeTable,
  ) {
    this.#config = config
    this.#layer = layer
    this.#parameters = parameters
    this.#laplacian = laplacian
    this.#angles = angles
    this.tau = config.tau
  }

  #weight(name: string): Tensor {
    const tensor = this.#parameters.get(`blocks.${this.#layer}.attn.${name}`)
    if (!tensor) throw new Error(`internal: model must have parameter blocks.${this.#layer}.attn.${name}`)
    return tensor
  }

  /** A learned positive number per head, or the fixed one for all. */
  #positive(name: 'temperature' | 'tau' | 'gamma', learned: boolean, fixed: number, heads: number): Tensor {
    const { device } = this.#weight('c_q.weight')
    if (!learned) return device.tensor(new Float32Array(heads).fill(fixed), [heads])
    return this.#config.positiveAs === 'log' ? exp(this.#weight(`log_${name}`)) : this.#weight(name)
  }

  get temperature(): Tensor {
    const { learnTemperature, temperature, nHead } = this.#config
    return this.#positive('temperature', learnTemperature, temperature, nHead)
  }

  /** τ per kv head. */
  get tauPerHead(): Tensor {
    return this.#positive('tau', this.#config.tauMode === 'learned', this.tau, this.#config.nKvHead)
  }

  /** x [B, T, C] · W [heads·dim, C] → [B, T, heads·dim]. */
  #project(x: Tensor, name: 'c_q' | 'c_k' | 'c_v'): Tensor {
    return linear(x, this.#weight(`${name}.weight`))
  }

  /** A projection [B, T, heads·dim] → clamp → [B, heads, T, dim]. */
  #split(y: Tensor, heads: number): Tensor {
    const [batch, length] = y.shape
    const bounded = clamp(y, -QKV_CLAMP, QKV_CLAMP)
    return permute(reshape(bounded, [batch, length, heads, -1]), [0, 2, 1, 3])
  }

  #normalise(x: Tensor, start: number, which: 'q' | 'k'): Tensor {
    const y = rmsNorm(rope(x, { start, table: this.#angles }))
    if (!this.#config.qkLayerNorm) return y
    return layerNorm(y, this.#weight(`qk_norm_${which}.weight`), this.#weight(`qk_norm_${which}.bias`))
  }

  /** Normalised q or k [B, heads, T, M] of a projection. */
  #vectors(y: Tensor, start: number, which: 'q' | 'k'): Tensor {
    const { nHead, nKvHead } = this.#config
    return this.#normalise(this.#split(y, which === 'q' ? nHead : nKvHead), start, which)
  }

  /** λ of every head vector x [B, heads, T, M]. Per-vector τ of the reference takes no gradient, as there. */
  #lambda(x: Tensor): Tensor {
    const { tauMode, eps } = this.#config
    const perVector = { 'reference-median': 'median', 'reference-mean': 'mean' } as const
    const tau =
      tauMode === 'reference-median' || tauMode === 'reference-mean'
        ? referenceTau(x, perVector[tauMode], eps)
        : this.#tau
    return taumode(x, this.#requireLaplacian(), tau, { eps })
  }

  /** λ of every head vector of a projection, in one pass: where nobody asks for the vectors and τ does not depend on them. */
  #lambdaOf(y: Tensor, start: number, heads: number): Tensor {
    const { eps } = this.#config
    const options = { heads, clamp: QKV_CLAMP, start, table: this.#angles, eps }
    return rotaryTaumode(y, this.#requireLaplacian(), this.#tau, options)
  }

  get #tau(): number | Tensor {
    return this.#config.tauMode === 'learned' ? this.tauPerHead : this.tau
  }

  #requireLaplacian(): LaplacianTensor {
    if (!this.#laplacian) throw new Error('internal: a tau model must have a Laplacian')
    return this.#laplacian
  }

  /** Clock readings [B, H, T] of the new positions, continued from the state. */
  #logDecay(x: Tensor, start: number, state: LayerState | undefined): LogDecay | undefined {
    const { clock, learnGamma, gamma, nHead } = this.#config
    const [batch, length] = x.shape
    if (clock === 'none') return undefined
    if (clock === 'steady') {
      const { high, low } = constantDecay(this.#positive('gamma', learnGamma, gamma, nHead), length, start)
      const zeros = x.device.tensor(new Float32Array(batch), [batch, 1, 1])
      const perSequence = (part: Tensor) => add(reshape(part, [1, nHead, length]), zeros)
      return { high: perSequence(high), low: perSequence(low) }
    }
    const logits = add(linear(x, this.#weight('c_f.weight')), this.#weight('c_f.bias')) // [B, T, H]
    return forgetGateDecay(permute(logits, [0, 2, 1]), state?.clock)
  }

  /** Normalised input x [B, T, C] → residual [B, T, C] + attention. With a state, x holds the newest T positions and the state advances. */
  forward(x: Tensor, residual: Tensor, state?: LayerState, probe?: (probe: LayerProbe) => void): Tensor {
    const { attention, nKvHead, nEmbd } = this.#config
    const [batch, length] = x.shape
    const start = state?.length ?? 0
    const keyInput = this.#config.keyShift ? tokenShift(x, { previous: state?.previous }) : x
    const yq = this.#project(x, 'c_q')
    const yk = this.#project(keyInput, 'c_k')
    const v = this.#split(this.#project(x, 'c_v'), nKvHead)
    const logDecay = this.#logDecay(x, start, state)

    let heads: Tensor // [B, H, T, D]
    if (attention === 'tau') {
      const { lambdaQ, lambdaK } = this.#lambdas(yq, yk, start, logDecay, probe)
      if (state) {
        const { cache } = state
        if (cache instanceof KvCache) throw new Error('internal: a tau layer must have a TauCache')
        if (cache instanceof BoundedTauCache) heads = cache.extend({ lambdaK, v, logDecay, lambdaQ })
        else {
          cache.append({ lambdaK, v, logDecay })
          heads = cache.attend({ lambdaQ })
        }
      } else heads = lambdaAttention({ lambdaQ, lambdaK, v, temperature: this.temperature, logDecay })
    } else {
      const q = this.#vectors(yq, start, 'q')
      const k = this.#vectors(yk, start, 'k')
      probe?.({ layer: this.#layer, q, k, clock: logDecay?.high })
      if (state) {
        if (!(state.cache instanceof KvCache)) throw new Error('internal: a dot layer must have a KvCache')
        state.cache.append({ k, v, logDecay })
        heads = state.cache.attend({ q })
      } else heads = dotAttention({ q, k, v, logDecay })
    }
    if (state) advance(state, x, logDecay)

    const joined = reshape(permute(heads, [0, 2, 1, 3]), [batch, length, nEmbd])
    const gated = this.#config.outputGate ? mul(joined, silu(linear(x, this.#weight('c_g.weight')))) : joined
    return linear(gated, this.#weight('c_proj.weight'), residual)
  }

  /** λ of queries and keys. q and k serve nothing else, so they are made only for a probe, a norm of their own, or the reference's τ. */
  #lambdas(
    yq: Tensor,
    yk: Tensor,
    start: number,
    logDecay: LogDecay | undefined,
    probe: ((probe: LayerProbe) => void) | undefined,
  ): { lambdaQ: Tensor; lambdaK: Tensor } {
    const { nHead, nKvHead, tauMode, qkLayerNorm } = this.#config
    if (!probe && !qkLayerNorm && !tauMode.startsWith('reference'))
      return { lambdaQ: this.#lambdaOf(yq, start, nHead), lambdaK: this.#lambdaOf(yk, start, nKvHead) }
    const q = this.#vectors(yq, start, 'q')
    const k = this.#vectors(yk, start, 'k')
    const lambdaQ = this.#lambda(q)
    const lambdaK = this.#lambda(k)
    probe?.({ layer: this.#layer, q, k, lambdaQ, lambdaK, clock: logDecay?.high })
    return { lambdaQ, lambdaK }
  }

  /** For reports: temperature per head and τ per kv head as they are now; empty where the model has none, as when τ is of each
   *  vector its own. */
  async scales(): Promise<{ temperature: number[]; tau: number[] }> {
    const { attention, tauMode } = this.#config
    if (attention === 'dot') return { temperature: [], tau: [] }
    const [temperature, tau] = await Promise.all(this.#readScales())
    return {
      temperature: Array.from(temperature),
      tau: tauMode.startsWith('reference') ? [] : Array.from(tau),
    }
  }

  /** Starts the reads before the scope closes, so that no scope is open while they are waited for. */
  #readScales(): Promise<Float32Array>[] {
    using _scope = this.#weight('c_q.weight').device.scope()
    return [this.temperature.data(), this.tauPerHead.data()]
  }
}

/** Copies the last position's input and clock reading into the state. */
function advance(state: LayerState, x: Tensor, logDecay: LogDecay | undefined): void {
  const [batch, length, width] = x.shape
  const last = slice(x, 1, length - 1, length)
  copyBlock(
    { tensor: last, offset: 0, stride: width },
    { tensor: state.previous, offset: 0, stride: width },
    batch,
    width,
  )
  if (!logDecay) return
  for (const part of ['high', 'low'] as const)
    copyBlock(
      { tensor: logDecay[part], offset: length - 1, stride: length },
      { tensor: state.clock[part], offset: 0, stride: 1 },
      state.clock[part].size,
      1,
    )
}
