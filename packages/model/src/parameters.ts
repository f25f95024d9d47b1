import { type Device, fill, Random, sizeOf, type Tensor, zeros } from '@tau/tensor'
import type { ParameterGroup } from '@tau/tensor/optim'
import { headDim, MLP_RATIO, type ModelConfig, manifoldDim } from './config.ts'

/** How a parameter starts. */
export type Init =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'constant'; readonly value: number }
  /** Evenly spaced from the first element to the last. */
  | { readonly kind: 'spread'; readonly first: number; readonly last: number }

export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly init: Init
  /** Whether it maps vectors to vectors between the embedding and the output layer: see {@link parameterGroups}. */
  readonly isHidden?: boolean
}

/** Spread over heads so that each forgets on its own scale: half-lives from about 1 token to about 170. */
const FORGET_BIAS = { first: 0.5, last: 5.5 } as const

/** Embeddings start with this standard deviation; the first rmsnorm makes its size immaterial to the first block, but it is
 *  what blocks add to, and what AdamW's steps compare with. */
const EMBEDDING_STD = 0.3
/** Small enough that the first logits are nearly equal: the first loss is ln V within a fraction of a percent. */
const HEAD_STD = 0.001

/** All parameters in a fixed order, with their start.
 *  Weights [out, in] are normal with deviation 1/√in, which keeps the size of activations; projections back into the residual
 *  stream are 0, so that every block starts as the identity (Zhang et al., Fixup (2019); nanochat does the same). */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { vocabSize, nLayer, nEmbd } = config
  const specs: ParameterSpec[] = [
    { name: 'wte.weight', shape: [vocabSize, nEmbd], init: { kind: 'normal', std: EMBEDDING_STD } },
  ]
  for (let layer = 0; layer < nLayer; layer++) {
    const prefix = `blocks.${layer}`
    specs.push(...attentionSpecs(config).map((spec) => ({ ...spec, name: `${prefix}.attn.${spec.name}` })))
    specs.push(linear(`${prefix}.mlp.c_fc`, MLP_RATIO * nEmbd, nEmbd), {
      name: `${prefix}.mlp.c_proj.weight`,
      shape: [nEmbd, MLP_RATIO * nEmbd],
      init: { kind: 'zeros' },
      isHidden: true,
    })
  }
  specs.push({ name: 'lm_head.weight', shape: [vocabSize, nEmbd], init: { kind: 'normal', std: HEAD_STD } })
  return specs
}

const linear = (name: string, out: number, inputs: number): ParameterSpec => ({
  name: `${name}.weight`,
  shape: [out, inputs],
  init: { kind: 'normal', std: 1 / Math.sqrt(inputs) },
  isHidden: true,
})

/** A positive number per head, stored as it is or as its logarithm. */
function positive(config: ModelConfig, name: string, heads: number, value: number): ParameterSpec {
  return config.positiveAs === 'log'
    ? { name: `log_${name}`, shape: [heads], init: { kind: 'constant', value: Math.log(value) } }
    : { name, shape: [heads], init: { kind: 'constant', value } }
}

function attentionSpecs(config: ModelConfig): ParameterSpec[] {
  const { nHead, nKvHead, nEmbd } = config
  const dim = manifoldDim(config)
  const specs = [
    linear('c_q', nHead * dim, nEmbd),
    linear('c_k', nKvHead * dim, nEmbd),
    linear('c_v', nKvHead * headDim(config), nEmbd),
  ]
  if (config.attention === 'tau' && config.learnTemperature)
    specs.push(positive(config, 'temperature', nHead, config.temperature))
  if (config.attention === 'tau' && config.tauMode === 'learned')
    specs.push(positive(config, 'tau', nKvHead, config.tau))
  if (config.clock === 'steady' && config.learnGamma)
    specs.push(positive(config, 'gamma', nHead, config.gamma))
  if (config.clock === 'gate')
    specs.push(
      { name: 'c_f.weight', shape: [nHead, nEmbd], init: { kind: 'zeros' } },
      { name: 'c_f.bias', shape: [nHead], init: { kind: 'spread', ...FORGET_BIAS } },
    )
  if (config.qkLayerNorm)
    for (const which of ['q', 'k'])
      specs.push(
        { name: `qk_norm_${which}.weight`, shape: [dim], init: { kind: 'constant', value: 1 } },
        { name: `qk_norm_${which}.bias`, shape: [dim], init: { kind: 'zeros' } },
      )
  if (config.outputGate) specs.push(linear('c_g', nEmbd, nEmbd))
  specs.push({ name: 'c_proj.weight', shape: [nEmbd, nEmbd], init: { kind: 'zeros' }, isHidden: true })
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
