import { positionNames } from '../position/encodings.ts'
import { choice, flag, number, numberOrNull, type OptionsOf, text } from './field.ts'

// Fields that all kinds of attention share. Those of a kind are in its own file, under ../attention.

/** Far above any model that fits a machine: what a file says of sizes is checked before memory is taken for it. Positions and
 *  ids up to 2²⁴ are exact in f32. */
const size = (largest: number, value: number, help: string, unit?: string) =>
  number({ whole: true, atLeast: 1, atMost: largest, default: value, help, ...(unit && { unit }) })

/** One value for the whole model. */
export const trunkFields = {
  vocabSize: size(2 ** 24, 2048, 'Tokens that the model knows', 'tokens'),
  seqLen: size(
    2 ** 24,
    256,
    'Context: the longest sequence that the model is trained on and accepts',
    'tokens',
  ),
  nLayer: size(1024, 4, 'Blocks'),
  nHead: size(65_536, 4, 'Query heads'),
  nKvHead: {
    ...size(
      65_536,
      4,
      'Key and value heads, a divisor of nHead; query head h reads head h // (nHead / nKvHead)',
    ),
    otherwise: 'nHead',
  },
  nEmbd: size(65_536, 128, 'Width of the residual stream, a multiple of nHead', 'channels'),
  outputGate: flag({
    default: true,
    presets: { paper: false },
    help: 'Multiply the heads’ output by silu(W x) before the output projection',
  }),
  softcap: numberOrNull({
    default: 15,
    above: 0,
    none: 'only the hard ±50',
    help: 'Soft bound of the logits',
  }),
} as const

/** Fields that groups of heads may set for themselves: see {@link ModelConfig.layers}. */
export const headFields = {
  attention: text({
    default: 'tau',
    pattern: /^[a-z][a-z0-9-]*$/,
    rule: 'be the name of a kind of attention',
    help: 'Kind of attention',
  }),
  manifoldDim: numberOrNull({
    default: null,
    whole: true,
    atLeast: 2,
    atMost: 65_536,
    unit: 'channels',
    none: 'nEmbd / nHead',
    help: 'Width of a query or key head, and of the Laplacian',
  }),
  decay: choice({
    of: ['none', 'constant', 'forget-gate'],
    default: 'forget-gate',
    presets: { paper: 'none' },
    help: 'What makes old keys fade: nothing, a constant rate per head, or a learned forget gate per token',
  }),
  decayRate: number({
    default: 0.02,
    presets: { paper: 0 },
    atLeast: 0,
    unit: 'per token',
    help: 'Rate of a constant decay, or where learning it starts',
  }),
  learnDecayRate: flag({ default: true, presets: { paper: false }, help: 'Learn the rate' }),
  tokenShift: choice({
    of: ['none', 'half', 'all'],
    default: 'half',
    presets: { paper: 'none' },
    help: 'Channels of a key’s input that come from the token before',
  }),
  sharedQk: flag({
    default: false,
    absent: false,
    help: 'One map for queries and keys instead of two; needs as many kv heads as query heads',
  }),
  positionalEncoding: choice({
    of: positionNames,
    default: 'rope',
    absent: 'rope',
    help: 'How q and k know their position: turned by RoPE, or not at all',
  }),
  ropeBase: number({ default: 10_000, above: 0, help: 'Base of the rotary frequencies' }),
  qkLayerNorm: flag({ default: false, help: 'Affine LayerNorm on q and k after rmsnorm' }),
  positiveAs: choice({
    of: ['log', 'plain'],
    default: 'log',
    help: 'Store learned positive numbers, such as temperature and decay rate, as logarithms or as they are',
  }),
} as const

export type TrunkOptions = OptionsOf<typeof trunkFields>
export type HeadOptions = OptionsOf<typeof headFields>

const shape = { vocabSize: 2048, seqLen: 256, nLayer: 4, nHead: 4, nKvHead: 4, nEmbd: 128 } as const

/** Sizes by name: `nano` trains in minutes on a laptop, `tau-30m` is the publication's. */
export const sizes = {
  nano: shape,
  'tau-30m': { ...shape, vocabSize: 30_522, seqLen: 1024, nLayer: 6, nHead: 6, nKvHead: 6, nEmbd: 384 },
  'tau-100m': { ...shape, vocabSize: 30_522, seqLen: 1024, nLayer: 12, nHead: 12, nKvHead: 12, nEmbd: 768 },
} as const satisfies Record<string, Partial<TrunkOptions>>
export type SizeName = keyof typeof sizes
