import { type Device, fill, Random, sizeOf, type Tensor, zeros } from '@tau/tensor'
import type { ParameterGroup } from '@tau/tensor/optim'
import { layerSpecs } from '../attention/layer.ts'
import { headGroups } from '../config/groups.ts'
import type { ModelConfig } from '../config/model-config.ts'
import { linearSpec, type ParameterSpec } from './spec.ts'

/** Width of the MLP over that of the residual stream. */
const MLP_RATIO = 4

/** Embeddings start with this standard deviation; the first rmsnorm makes its size immaterial to the first block, but it is
 *  what blocks add to, and what AdamW's steps compare with. */
const EMBEDDING_STD = 0.3
/** Small enough that the first logits are nearly equal: the first loss is ln V within a fraction of a percent. */
const HEAD_STD = 0.001

/** All parameters in a fixed order, with their start.
 *  Weights [out, in] are normal with deviation 1/√in, which keeps the size of activations; projections back into the residual
 *  stream are 0, so that every block starts as the identity (Zhang et al., Fixup (2019); nanochat does the same). */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { vocabSize, nEmbd } = config
  const specs: ParameterSpec[] = [
    { name: 'wte.weight', shape: [vocabSize, nEmbd], init: { kind: 'normal', std: EMBEDDING_STD } },
  ]
  headGroups(config).forEach((groups, layer) => {
    const prefix = `blocks.${layer}`
    specs.push(
      ...layerSpecs(groups, config).map((spec) => ({ ...spec, name: `${prefix}.attn.${spec.name}` })),
    )
    specs.push(linearSpec(`${prefix}.mlp.c_fc`, MLP_RATIO * nEmbd, nEmbd), {
      name: `${prefix}.mlp.c_proj.weight`,
      shape: [nEmbd, MLP_RATIO * nEmbd],
      init: { kind: 'zeros' },
      isHidden: true,
    })
  })
  specs.push({ name: 'lm_head.weight', shape: [vocabSize, nEmbd], init: { kind: 'normal', std: HEAD_STD } })
  return specs
}

/** Parameters that optimizers may treat differently: the hidden weights. Embedding, output layer and what gives one number per
 *  head, such as the forget gate, are in no group. */
export const parameterGroups = (config: ModelConfig): ParameterGroup[] => [
  {
    names: parameterSpecs(config).flatMap(({ name, isHidden }) => (isHidden ? [name] : [])),
    isHidden: true,
  },
]

/** Number of trainable values. */
export const countParameters = (config: ModelConfig): number =>
  parameterSpecs(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0)

/** Fresh parameters, in the scope that is open. Each draws from a random stream of its own, named by the parameter: adding one,
 *  or a layer, does not change the others. */
export function initParameters(device: Device, config: ModelConfig, seed: number): Map<string, Tensor> {
  return new Map(parameterSpecs(config).map((spec) => [spec.name, start(device, spec, seed)]))
}

function start(device: Device, { name, shape, init }: ParameterSpec, seed: number): Tensor {
  switch (init.kind) {
    case 'zeros':
      return zeros(device, shape)
    case 'normal':
      return new Random(seed, streamOf(name)).normal(device, shape, init.std)
    case 'constant':
      return fill(device, shape, init.value)
    case 'spread': {
      const size = sizeOf(shape)
      const step = size > 1 ? (init.last - init.first) / (size - 1) : 0
      return device.tensor(
        Float32Array.from({ length: size }, (_, i) => init.first + i * step),
        shape,
      )
    }
  }
}

/** A 32-bit number for a name: FNV-1a (Fowler, Noll and Vo, http://www.isthe.com/chongo/tech/comp/fnv/). */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5 // 2166136261, the offset basis
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) // 16777619, the prime
  return hash >>> 0
}
