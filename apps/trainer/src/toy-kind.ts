import {
  type Attention,
  type AttentionInputs,
  cacheOfInputs,
  type DecodeCache,
  defineAttentionKind,
  number,
  positiveSpec,
  positiveValues,
} from '@tau/model'
import { add, cumsum, type Device, div, mul, permute, reshape, slice, type Tensor } from '@tau/tensor'

// A kind of attention in one file. It uses only what a package outside of this repository can use, and so
// tests the interface for kinds. The output of a query is the weighted mean of all values so far, times a
// learned gain per kv head. Key j has weight (j + 1)^growth. It needs as many kv heads as query heads.

/** Weights [1, 1, 1, T] of the keys from `start` on, and for each key the sum of all weights up to it. */
function weightsOf(device: Device, start: number, length: number, growth: number) {
  const all = Float64Array.from({ length: start + length }, (_, j) => (j + 1) ** growth)
  let sum = 0
  const sums = all.map((weight) => (sum += weight))
  const row = (values: Float64Array) => device.tensor(values.slice(start), [1, 1, 1, length], 'f32')
  return { weights: row(all), sums: row(sums) }
}

/** Weighted means `out` [B, H, T, D] of v [B, H, T, D]. `before` [B, H, D, 1] is the weighted sum of all
 *  values before `start`. `sum` is the new weighted sum. */
function means(v: Tensor, growth: number, start = 0, before?: Tensor): { out: Tensor; sum: Tensor } {
  const length = v.shape[2]
  const { weights, sums } = weightsOf(v.device, start, length, growth)
  const added = cumsum(mul(permute(v, [0, 1, 3, 2]), weights)) // [B, H, D, T]
  const total = before ? add(added, before) : added
  return { out: permute(div(total, sums), [0, 1, 3, 2]), sum: slice(total, 3, length - 1, length) }
}

/** Decode cache with one sum per head. It can forget all positions or none. */
class MeanCache implements DecodeCache<{ readonly v: Tensor }> {
  readonly #device: Device
  readonly #growth: number
  #length = 0
  #sum: Tensor | undefined

  constructor(device: Device, growth: number) {
    this.#device = device
    this.#growth = growth
  }

  get length(): number {
    return this.#length
  }

  get minLength(): number {
    return this.#length
  }

  extend({ v }: { readonly v: Tensor }): Tensor {
    const { out, sum } = means(v, this.#growth, this.#length, this.#sum)
    const kept = this.#device.unscoped(() => mul(sum, 1))
    this.#sum?.dispose()
    this.#sum = kept
    this.#length += v.shape[2]
    return out
  }

  truncate(length: number): void {
    if (length !== 0 && length !== this.#length)
      throw new RangeError(
        `MeanCache.truncate: length must be 0 or ${this.#length}, got ${length}; fork the cache before you add positions that may be forgotten`,
      )
    if (length === 0) this.reset()
  }

  fork(): MeanCache {
    const fork = new MeanCache(this.#device, this.#growth)
    fork.#length = this.#length
    fork.#sum = this.#device.unscoped(() => this.#sum?.view())
    return fork
  }

  reset(): void {
    this.dispose()
    this.#length = 0
  }

  bytes(): number {
    return 4 * (this.#sum?.size ?? 0)
  }

  dispose(): void {
    this.#sum?.dispose()
    this.#sum = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

export const meanAttention = defineAttentionKind({
  name: 'mean',
  about: 'means of all values',
  modelType: 'mean_gpt',
  architecture: 'MeanGPT',
  needsLaplacian: false,
  hasBoundedCache: true,
  options: {
    growth: number({
      default: 1,
      presets: { paper: 0 },
      atLeast: 0,
      help: 'Exponent of the weights (j + 1)^growth: higher values favour newer tokens',
    }),
  },
  parameters: ({ kvHeads, positiveAs }) => [positiveSpec(positiveAs, 'gain', kvHeads, 1)],
  create({ device, shape, parameter }, { growth }): Attention {
    const gain = () => positiveValues(shape.positiveAs, 'gain', parameter)
    const scaled = ({ v, probe }: AttentionInputs) => {
      const out = mul(v, reshape(gain(), [1, shape.kvHeads, 1, 1]))
      probe?.({ firstChannel: reshape(slice(out, 3, 0, 1), out.shape.slice(0, 3)) })
      return { v: out }
    }
    return {
      forward: (inputs) => means(scaled(inputs).v, growth).out,
      cache: () => cacheOfInputs(new MeanCache(device, growth), scaled),
      scalars: () => ({ gain: gain() }),
    }
  },
  report: { heading: 'first channels', about: 'This model takes means of values.' },
  distributions: [{ name: 'firstChannel', title: 'first channel of values', per: 'kv head' }],
  scalars: [
    { name: 'gain', title: 'Gain', per: 'kv head', isLog: true, about: 'Values are multiplied by it.' },
  ],
})
