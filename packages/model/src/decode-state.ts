import type { Device } from '@tau/tensor'
import type { CacheForm } from './attention/kind.ts'
import type { AttentionLayer } from './attention/layer.ts'
import { LayerState } from './attention/state.ts'
import type { ModelConfig } from './config/model-config.ts'

export interface DecodeStateOptions {
  /** `exact` keeps every position that later ones need, at most seqLen of them. `bounded` needs constant
   *  memory and time per step, for a context of any length. The kind of attention must support it.
   *  λ-attention supports it on the cpu backend, by sums over `bins` bins of λ; its error is within the bound
   *  of BoundedTauCache. Default exact. */
  cache?: 'exact' | 'bounded' | undefined
  /** Number of bins of a bounded cache, 2 to 65536. Default 1024. */
  bins?: number | undefined
}

const DEFAULT_BINS = 1024

/** The parts of a model that a state needs. */
interface DecodingModel {
  readonly device: Device
  readonly config: ModelConfig
  readonly attention: readonly AttentionLayer[]
}

/** Memory of a sequence that is decoded step by step: one {@link LayerState} per layer. */
export class DecodeState implements Disposable {
  readonly layers: readonly LayerState[]
  readonly batch: number
  /** Configuration of the model. A state works only with its own model. */
  readonly config: ModelConfig
  /** Largest number of positions; Infinity with bounded caches. */
  readonly maxLength: number
  readonly #model: DecodingModel

  private constructor(model: DecodingModel, batch: number, maxLength: number, layers: readonly LayerState[]) {
    this.#model = model
    this.config = model.config
    this.batch = batch
    this.maxLength = maxLength
    this.layers = layers
  }

  /** See {@link GPT.decodeState}. */
  static empty(model: DecodingModel, batch: number, options: DecodeStateOptions): DecodeState {
    const { device, config, attention } = model
    const form = cacheForm(model, options)
    const maxLength = form.form === 'bounded' ? Number.POSITIVE_INFINITY : config.seqLen
    const layers = device.unscoped(() =>
      attention.map((layer) => LayerState.empty(device, layer.groups, batch, config.nEmbd, form)),
    )
    return new DecodeState(model, batch, maxLength, layers)
  }

  /** Positions decoded so far. */
  get length(): number {
    return this.layers[0].length
  }

  /** Bytes of the contents of the caches. Exact caches grow with the context. */
  get cacheBytes(): number {
    return this.layers.reduce((sum, { cacheBytes }) => sum + cacheBytes, 0)
  }

  /** A second state with the same positions. The two can continue independently. Dispose both. */
  fork(): DecodeState {
    const layers = this.#model.device.unscoped(() => this.layers.map((layer) => layer.fork()))
    return new DecodeState(this.#model, this.batch, this.maxLength, layers)
  }

  /** Forgets all positions, but keeps the memory for them. */
  reset(): void {
    for (const layer of this.layers) layer.reset()
  }

  [Symbol.dispose](): void {
    for (const layer of this.layers) layer[Symbol.dispose]()
  }
}

/** The requested form of cache. It is checked, because `cache` may come from a command line. */
function cacheForm(model: DecodingModel, { cache = 'exact', bins }: DecodeStateOptions): CacheForm {
  if (cache !== 'exact' && cache !== 'bounded')
    throw new RangeError(`decodeState: cache must be exact or bounded, got ${cache}`)
  const kinds = model.attention.flatMap(({ groups }) => groups.map(({ kind }) => kind))
  const growing = kinds.find(({ hasBoundedCache }) => !hasBoundedCache)
  if (cache === 'bounded' && growing)
    throw new Error(
      `decodeState: cache must be exact for ${growing.name} attention, got bounded; its cache keeps every position`,
    )
  if (cache === 'bounded') return { form: 'bounded', bins: bins ?? DEFAULT_BINS }
  if (bins !== undefined)
    throw new RangeError(
      `decodeState: bins must be left out of an exact cache, got ${bins}; use cache bounded, or leave bins out`,
    )
  return { form: 'exact' }
}
