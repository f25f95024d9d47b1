import { type Device, fill, Random, sizeOf, type Tensor, zeros } from '@tau/tensor'
import type { ParameterGroup } from '@tau/tensor/optim'
import { layerSpecs } from '../attention/layer.ts'
import { headGroups } from '../config/groups.ts'
import type { ModelConfig } from '../config/model-config.ts'
import { linearSpec, type ParameterSpec } from './spec.ts'

/** Width of the MLP divided by the width of the residual stream. */
const MLP_RATIO = 4

/** Standard deviation of the embeddings at the start. The first rmsnorm hides it from the first block. It
 *  still matters, because blocks add to the embeddings, and because the steps of AdamW are relative to it. */
const EMBEDDING_STD = 0.3
/** Standard deviation of the output layer at the start. It is so small that the first logits are nearly
 *  equal. So the first loss is ln V, within a fraction of a percent. */
const HEAD_STD = 0.001

/** All parameters in a fixed order, with their init.
 *
 *   Weights [out, in] are normal with standard deviation 1/√in, which keeps the size of activations.
 *   Projections back into the residual stream are 0, so every block starts as the identity (Zhang et al.,
 *   Fixup (2019); nanochat does the same). */
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

/** The group of parameters that optimizers may treat differently: the hidden weights. Embedding, output
 *  layer, and parameters of numbers per head, such as the forget gate, are in no group. */
export const parameterGroups = (config: ModelConfig): ParameterGroup[] => [
  {
    names: parameterSpecs(config).flatMap(({ name, isHidden }) => (isHidden ? [name] : [])),
    isHidden: true,
  },
]

/** Number of trainable values of a configuration. */
export const countParameters = (config: ModelConfig): number =>
  parameterSpecs(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0)

/** Makes new parameters in the open scope. Each parameter has its own random stream, named by the parameter.
 *  So a new parameter or layer does not change the others. */
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

/** The 32-bit FNV-1a hash of a name (Fowler, Noll and Vo, http://www.isthe.com/chongo/tech/comp/fnv/). */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5 // 2166136261, the offset basis
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) // 16777619, the prime
  return hash >>> 0
}
