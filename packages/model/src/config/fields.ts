import { positionNames } from '../position/encodings.ts'
import { choice, flag, number, numberOrNull, type OptionsOf, text } from './field.ts'

// Fields that all kinds of attention share. The options of a kind are in its own file, in ../attention.

/** A size with an upper limit, far above any model that fits a machine. So a wrong size in a file is refused
 *  before memory is allocated. Positions and ids up to 2²⁴ are exact in f32. */
const size = (largest: number, value: number, help: string, unit?: string) =>
  number({ whole: true, atLeast: 1, atMost: largest, default: value, help, ...(unit && { unit }) })

/** Fields with one value for the whole model. */
export const trunkFields = {
  vocabSize: size(2 ** 24, 2048, 'Number of tokens that the model knows', 'tokens'),
  seqLen: size(
    2 ** 24,
    256,
    'Context: length of the longest sequence that the model is trained on and accepts',
    'tokens',
  ),
  nLayer: size(1024, 4, 'Number of blocks'),
  nHead: size(65_536, 4, 'Number of query heads per layer'),
  nKvHead: {
    ...size(
      65_536,
      4,
      'Number of key and value heads per layer, a divisor of nHead; query head h reads head h // (nHead / nKvHead)',
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
    none: 'only the hard bound ±50',
    help: 'Soft bound of the logits: softcap · tanh(logits / softcap)',
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
    help: 'Decay that makes older keys weigh less: none, a constant rate per head, or a learned forget gate per token',
  }),
  decayRate: number({
    default: 0.02,
    presets: { paper: 0 },
    atLeast: 0,
    unit: 'per token',
    help: 'Rate of a constant decay; if it is learned, its start value',
  }),
  learnDecayRate: flag({
    default: true,
    presets: { paper: false },
    help: 'Learn the rate of a constant decay',
  }),
  tokenShift: choice({
    of: ['none', 'half', 'all'],
    default: 'half',
    presets: { paper: 'none' },
    help: 'Token shift: which channels of the input of a key come from the previous token',
  }),
  sharedQk: flag({
    default: false,
    absent: false,
    help: 'Use one projection for queries and keys instead of two; needs as many kv heads as query heads',
  }),
  positionalEncoding: choice({
    of: positionNames,
    default: 'rope',
    absent: 'rope',
    help: 'Positional encoding of q and k: rotation by RoPE, or none',
  }),
  ropeBase: number({ default: 10_000, above: 0, help: 'Base of the frequencies of RoPE' }),
  qkLayerNorm: flag({ default: false, help: 'Apply an affine LayerNorm to q and k after rmsnorm' }),
  positiveAs: choice({
    of: ['log', 'plain'],
    default: 'log',
    help: 'How learned positive numbers, such as temperature and decay rate, are stored: as logarithms or as plain values',
  }),
} as const

export type TrunkOptions = OptionsOf<typeof trunkFields>
export type HeadOptions = OptionsOf<typeof headFields>

const shape = { vocabSize: 2048, seqLen: 256, nLayer: 4, nHead: 4, nKvHead: 4, nEmbd: 128 } as const

/** Sizes by name. `nano` trains in minutes on a laptop. `tau-30m` is the size of the publication. */
export const sizes = {
  nano: shape,
  'tau-30m': { ...shape, vocabSize: 30_522, seqLen: 1024, nLayer: 6, nHead: 6, nKvHead: 6, nEmbd: 384 },
  'tau-100m': { ...shape, vocabSize: 30_522, seqLen: 1024, nLayer: 12, nHead: 12, nKvHead: 12, nEmbd: 768 },
} as const satisfies Record<string, Partial<TrunkOptions>>
export type SizeName = keyof typeof sizes
