import { type LogDecay, tokenShift } from '@tau/attention'
import { copyBlock, type Device, layerNorm, linear, type Tensor } from '@tau/tensor'
import { type HeadGroup, kindOptions } from '../config/groups.ts'
import { linearSpec, type ParameterSpec } from '../parameters/spec.ts'
import type { PositionalEncoding } from '../position/encoding.ts'
import { decayOf, decaySpecs } from './decay.ts'
import { HeadVectors, splitHeads } from './head-vectors.ts'
import type { Attention, AttentionCache, CacheForm, KindContext } from './kind.ts'

/** Parameters of a group, with their names inside the group. */
export function groupSpecs(group: HeadGroup): ParameterSpec[] {
  const { kind, config, shape } = group
  const { heads, kvHeads, dim, valueDim } = shape
  const norms = config.qkLayerNorm ? ['q', 'k'] : []
  return [
    linearSpec('c_q', heads * dim, config.nEmbd),
    ...(config.sharedQk ? [] : [linearSpec('c_k', kvHeads * dim, config.nEmbd)]),
    linearSpec('c_v', kvHeads * valueDim, config.nEmbd),
    ...kind.parameters(shape, kindOptions(group)),
    ...decaySpecs(config, heads),
    ...norms.flatMap((which): ParameterSpec[] => [
      { name: `qk_norm_${which}.weight`, shape: [dim], init: { kind: 'constant', value: 1 } },
      { name: `qk_norm_${which}.bias`, shape: [dim], init: { kind: 'zeros' } },
    ]),
  ]
}

/** Results of a group of heads, for reports. The tensors live as long as the scope of the caller. */
export interface GroupProbe {
  /** Normalised q [B, H, T, M] and k [B, Hkv, T, M]. */
  readonly q: Tensor
  readonly k: Tensor
  /** The kind's distributions, [B, H, T] or [B, Hkv, T]. */
  readonly values: Readonly<Record<string, Tensor>>
  /** Cumulative decay [B, H, T]; undefined without decay. */
  readonly logDecay: Tensor | undefined
}

/** State of a group between decoding steps. */
export interface GroupState {
  readonly cache: AttentionCache
  /** The newest cumulative decay [B, H, 1]. */
  readonly logDecay: LogDecay
}

/** Attention of a group of heads of one layer: its kind of attention, and the parts that all kinds share. See
 *  docs/definition.md, section 3. */
export class HeadGroupAttention {
  readonly kind: HeadGroup['kind']
  readonly attention: Attention
  readonly #group: HeadGroup
  readonly #encoding: PositionalEncoding
  readonly #parameter: (name: string) => Tensor

  /** @param parameter gives a parameter of {@link groupSpecs} */
  constructor(
    group: HeadGroup,
    encoding: PositionalEncoding,
    { device, laplacian, parameter }: Omit<KindContext, 'shape'>,
  ) {
    this.#group = group
    this.#encoding = encoding
    this.#parameter = parameter
    this.kind = group.kind
    const context = { device, shape: group.shape, laplacian, parameter }
    this.attention = group.kind.create(context, kindOptions(group))
  }

  /** Computes the heads [B, H, T, D] of the normalised input x [B, T, C]. With a state, x holds the newest T
   *  positions, and the state advances. `previous` [B, 1, C] is the input at the position before x. */
  forward(
    x: Tensor,
    state: GroupState | undefined,
    previous: Tensor | undefined,
    probe: ((probe: GroupProbe) => void) | undefined,
  ): Tensor {
    const { config, shape } = this.#group
    const { heads, kvHeads } = shape
    const start = state?.cache.length ?? 0
    const { tokenShift: channels } = config
    const keyInput = channels === 'none' ? x : tokenShift(x, { previous, channels })
    const projectedQ = this.#project(x, 'c_q')
    const projectedK = this.#project(keyInput, config.sharedQk ? 'c_q' : 'c_k')
    const v = splitHeads(this.#project(x, 'c_v'), kvHeads)
    const logDecay = decayOf(config, heads, this.#parameter, x, start, state?.logDecay)
    const q = new HeadVectors(projectedQ, heads, this.#encoding, start, this.#norm('q'))
    const k = new HeadVectors(projectedK, kvHeads, this.#encoding, start, this.#norm('k'))
    let values: Readonly<Record<string, Tensor>> = {}
    const inputs = {
      ...{ q, k, v, logDecay },
      probe: probe && ((found: Readonly<Record<string, Tensor>>) => (values = found)),
    }
    const out = state ? state.cache.extend(inputs) : this.attention.forward(inputs)
    if (state && logDecay) keepLast(logDecay, state.logDecay)
    probe?.({ q: q.vectors, k: k.vectors, values, logDecay: logDecay?.high })
    return out
  }

  /** An empty state of `batch` sequences. */
  newState(device: Device, batch: number, form: CacheForm): GroupState {
    const { heads } = this.#group.shape
    const atRest = () => device.tensor(new Float32Array(batch * heads), [batch, heads, 1])
    return { cache: this.attention.cache(batch, form), logDecay: { high: atRest(), low: atRest() } }
  }

  #project(x: Tensor, name: 'c_q' | 'c_k' | 'c_v'): Tensor {
    return linear(x, this.#parameter(`${name}.weight`))
  }

  #norm(which: 'q' | 'k'): ((x: Tensor) => Tensor) | undefined {
    if (!this.#group.config.qkLayerNorm) return undefined
    const name = `qk_norm_${which}`
    return (x) => layerNorm(x, this.#parameter(`${name}.weight`), this.#parameter(`${name}.bias`))
  }
}

/** Copies the last cumulative decay of each head. */
function keepLast(logDecay: LogDecay, kept: LogDecay): void {
  const length = logDecay.high.shape[2]
  for (const part of ['high', 'low'] as const)
    copyBlock(
      { tensor: logDecay[part], offset: length - 1, stride: length },
      { tensor: kept[part], offset: 0, stride: 1 },
      kept[part].size,
      1,
    )
}
