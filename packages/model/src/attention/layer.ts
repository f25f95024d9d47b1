import type { LaplacianTensor } from '@tau/attention'
import { concat, type Device, linear, mul, permute, reshape, silu, type Tensor } from '@tau/tensor'
import type { HeadGroup } from '../config/groups.ts'
import { linearSpec, type ParameterSpec } from '../parameters/spec.ts'
import type { PositionalEncoding } from '../position/encoding.ts'
import { type GroupProbe, groupSpecs, HeadGroupAttention } from './group.ts'
import type { LayerState } from './state.ts'

/** Results of one group of heads of one layer, for reports: see {@link GPT.forward}. */
export interface LayerProbe extends GroupProbe {
  readonly layer: number
  /** Index of the group in its layer. */
  readonly group: number
}

/** Parameters of an attention layer, with their names inside the layer. Those of the groups come first. */
export const layerSpecs = (
  groups: readonly HeadGroup[],
  { nEmbd, outputGate }: { nEmbd: number; outputGate: boolean },
): ParameterSpec[] => [
  ...groups.flatMap((group) =>
    groupSpecs(group).map((spec) => ({ ...spec, name: `${group.prefix}${spec.name}` })),
  ),
  ...(outputGate ? [linearSpec('c_g', nEmbd, nEmbd)] : []),
  { name: 'c_proj.weight', shape: [nEmbd, nEmbd], init: { kind: 'zeros' }, isHidden: true },
]

export interface LayerContext {
  readonly device: Device
  readonly laplacian: LaplacianTensor | undefined
  /** A parameter of {@link layerSpecs}. */
  readonly parameter: (name: string) => Tensor
  readonly encodingOf: (group: HeadGroup) => PositionalEncoding
  readonly outputGate: boolean
}

/** One attention layer: its groups of heads in parallel, then output gate and projection. */
export class AttentionLayer {
  readonly groups: readonly HeadGroupAttention[]
  readonly #layer: number
  readonly #context: LayerContext

  constructor(layer: number, groups: readonly HeadGroup[], context: LayerContext) {
    this.#layer = layer
    this.#context = context
    const { device, laplacian, parameter, encodingOf } = context
    this.groups = groups.map((group) => {
      const own = (name: string) => parameter(`${group.prefix}${name}`)
      return new HeadGroupAttention(group, encodingOf(group), { device, laplacian, parameter: own })
    })
  }

  /** Normalised input x [B, T, C] → residual [B, T, C] + attention. With a state, x holds the newest T
   *  positions, and the state advances. */
  forward(x: Tensor, residual: Tensor, state?: LayerState, probe?: (probe: LayerProbe) => void): Tensor {
    const { parameter, outputGate } = this.#context
    const [batch, length, width] = x.shape
    const outs = this.groups.map((group, i) =>
      group.forward(
        x,
        state?.groups[i],
        state?.previous,
        probe && ((found) => probe({ ...found, layer: this.#layer, group: i })),
      ),
    )
    state?.keepLast(x)
    const heads = outs.length === 1 ? outs[0] : concat(outs, 1) // [B, H, T, D]
    const joined = reshape(permute(heads, [0, 2, 1, 3]), [batch, length, width])
    const gated = outputGate ? mul(joined, silu(linear(x, parameter('c_g.weight')))) : joined
    return linear(gated, parameter('c_proj.weight'), residual)
  }

  /** The present numbers per head of the kinds, for reports. The values of all groups are joined in order. */
  async scalars(): Promise<Record<string, number[]>> {
    const found: Record<string, number[]> = {}
    for (const [name, values] of await Promise.all(this.#readScalars()))
      found[name] = [...(found[name] ?? []), ...values]
    return found
  }

  /** Starts the reads before the scope closes, so no scope is open while the caller waits. */
  #readScalars(): Promise<[string, Float32Array]>[] {
    using _scope = this.#context.device.scope()
    return this.groups.flatMap(({ attention }) =>
      Object.entries(attention.scalars?.() ?? {}).map(
        async ([name, tensor]): Promise<[string, Float32Array]> => [name, await tensor.data()],
      ),
    )
  }
}
