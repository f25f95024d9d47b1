/** Every choice of the model. A tau model and the dot-product baseline share all of them that make sense for both. */
export interface ModelConfig {
  /** `tau`: λ-distance attention over a graph Laplacian; `dot`: scaled dot-product attention. */
  attention: 'tau' | 'dot'
  vocabSize: number
  /** Longest sequence the model is trained on and accepts, in tokens. */
  seqLen: number
  nLayer: number
  /** Query heads H. */
  nHead: number
  /** Key and value heads Hkv, a divisor of nHead; query head h reads head h // (H / Hkv). */
  nKvHead: number
  /** Width C of the residual stream; values have C / H channels per head. */
  nEmbd: number
  /** Channels M of a query or key head, and size of the Laplacian; null: C / H. */
  manifoldDim: number | null
  /** Attention temperature per head: the start value, or the fixed one. Tau attention only. */
  temperature: number
  learnTemperature: boolean
  /** Where τ of λ = E / (E + τ) comes from: `fixed`, `learned` per kv head, `adaptive` (set from the batch by
   *  {@link ModelConfig.tauPolicy} on a schedule), or the reference code's per-vector middle. Tau attention only. */
  tauMode: 'fixed' | 'learned' | 'adaptive' | 'reference-median' | 'reference-mean'
  /** Value of τ, or its start value when learned or adaptive. */
  tau: number
  /** How `adaptive` sets τ from the energies of a batch: median, mean, or percentile:P with P from 0 to 1. */
  tauPolicy: string
  /** What makes old keys fade: nothing, a constant rate γ per head, or a learned forget gate per token. */
  clock: 'none' | 'steady' | 'gate'
  /** Rate γ per token of the steady clock: the start value, or the fixed one. */
  gamma: number
  learnGamma: boolean
  /** Keys read half of their channels from the token before. */
  keyShift: boolean
  /** Heads' output is multiplied by silu(W_g x) before the output projection. */
  outputGate: boolean
  /** Affine LayerNorm on q and k after rmsnorm, as the reference's baseline has. Dot attention only. */
  qkLayerNorm: boolean
  /** Store temperature, τ and γ as they are or as logarithms. Logarithms keep them positive while they are learned. */
  positiveAs: 'log' | 'plain'
  /** Base of the rotary frequencies. */
  ropeBase: number
  /** ε of the Rayleigh quotient. */
  eps: number
  /** Logits are bounded softly by ±this in training and generation; null: only the hard ±50. */
  softcap: number | null
}

/** Values that never change between models: docs/definition.md, sections 4 and 5. */
export const QKV_CLAMP = 5
export const LOGIT_CLAMP = 50
export const MLP_RATIO = 4

const shape = {
  vocabSize: 2048,
  seqLen: 256,
  nLayer: 4,
  nHead: 4,
  nKvHead: 4,
  nEmbd: 128,
  manifoldDim: null,
} as const
const constants = { ropeBase: 10_000, eps: 1e-6, softcap: 15, qkLayerNorm: false, positiveAs: 'log' } as const

/** What the parts of attention are set to. `default` is the measured best; `paper` is the publication's: temperature 1, τ = 1,
 *  no clock, no shift, no gate — faithful, and weak. */
export const presets = {
  default: {
    temperature: 0.05,
    learnTemperature: true,
    tauMode: 'learned',
    tau: 1,
    tauPolicy: 'median',
    clock: 'gate',
    gamma: 0.02,
    learnGamma: true,
    keyShift: true,
    outputGate: true,
  },
  paper: {
    temperature: 1,
    learnTemperature: false,
    tauMode: 'fixed',
    tau: 1,
    tauPolicy: 'median',
    clock: 'none',
    gamma: 0,
    learnGamma: false,
    keyShift: false,
    outputGate: false,
  },
} as const satisfies Record<string, Partial<ModelConfig>>
export type PresetName = keyof typeof presets

/** Sizes by name: `nano` trains in minutes on a laptop, `tau-30m` is the publication's. */
export const sizes = {
  nano: shape,
  'tau-30m': { ...shape, vocabSize: 30_522, seqLen: 1024, nLayer: 6, nHead: 6, nKvHead: 6, nEmbd: 384 },
  'tau-100m': { ...shape, vocabSize: 30_522, seqLen: 1024, nLayer: 12, nHead: 12, nKvHead: 12, nEmbd: 768 },
} as const satisfies Record<string, Partial<ModelConfig>>
export type SizeName = keyof typeof sizes

export type ModelOptions = Partial<ModelConfig> & { preset?: PresetName; size?: SizeName }

const known = <T extends object>(kind: string, table: T, name: string): T[keyof T] => {
  for (const [key, value] of Object.entries(table)) if (key === name) return value
  throw new Error(`config: ${kind} must be one of ${Object.keys(table).join(', ')}, got ${name}`)
}

/** Fills in preset and size, then checks every rule. Throws with the field, its value and the rule. */
export function resolveConfig(options: ModelOptions = {}): ModelConfig {
  const { preset = 'default', size = 'nano', ...given } = options
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const config: ModelConfig = {
    attention: 'tau',
    ...constants,
    ...known('size', sizes, size),
    ...known('preset', presets, preset),
    ...chosen,
  }
  if (chosen.nHead !== undefined && chosen.nKvHead === undefined) config.nKvHead = config.nHead
  checkConfig(config)
  return config
}

/** Channels of a value head. */
export const headDim = (config: ModelConfig): number => config.nEmbd / config.nHead

/** Channels of a query or key head: the size of the Laplacian. */
export const manifoldDim = (config: ModelConfig): number => config.manifoldDim ?? headDim(config)

/** What a field may hold, where the type alone does not say it. */
const CHOICES = {
  attention: ['tau', 'dot'],
  tauMode: ['fixed', 'learned', 'adaptive', 'reference-median', 'reference-mean'],
  clock: ['none', 'steady', 'gate'],
  positiveAs: ['log', 'plain'],
  learnTemperature: [true, false],
  learnGamma: [true, false],
  keyShift: [true, false],
  outputGate: [true, false],
  qkLayerNorm: [true, false],
} as const

/** Far above any model that fits a machine: what a file says of sizes is checked before memory is taken for it. Positions and
 *  ids up to 2²⁴ are exact in f32. */
const LARGEST = {
  vocabSize: 2 ** 24,
  seqLen: 2 ** 24,
  nLayer: 1024,
  nHead: 65_536,
  nKvHead: 65_536,
  nEmbd: 65_536,
} as const
const LARGEST_MANIFOLD = 65_536

const FIELDS: ReadonlySet<string> = new Set(
  Object.keys({ attention: 'tau', ...constants, ...shape, ...presets.default }),
)

type Fail = (field: keyof ModelConfig, rule: string, next: string) => never

const show = (value: unknown): string =>
  typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))

/** Throws unless the configuration makes a model: with the field, the rule, its value and what to do. */
export function checkConfig(config: ModelConfig): void {
  for (const [field, value] of Object.entries(config))
    if (!FIELDS.has(field))
      throw new Error(`config: ${field} must be left out, for no model has such a field, got ${show(value)}`)
  const fail: Fail = (field, rule, next) => {
    throw new Error(`config: ${field} must ${rule}, got ${show(config[field])}; ${next}`)
  }
  for (const [field, allowed] of Object.entries(CHOICES) as [keyof typeof CHOICES, readonly unknown[]][])
    if (!allowed.includes(config[field])) fail(field, `be one of ${allowed.join(', ')}`, 'correct it')
  checkSizes(config, fail)
  checkScales(config, fail)
  if (config.attention === 'tau' && config.qkLayerNorm)
    fail('qkLayerNorm', 'be false for tau attention', 'set attention to dot')
}

function checkSizes(config: ModelConfig, fail: Fail): void {
  for (const [field, largest] of Object.entries(LARGEST) as [keyof typeof LARGEST, number][])
    if (!Number.isInteger(config[field]) || config[field] < 1 || config[field] > largest)
      fail(field, `be a whole number from 1 to ${largest}`, 'correct it')
  const { nEmbd, nHead, nKvHead } = config
  if (nEmbd % nHead !== 0)
    fail('nEmbd', `be a multiple of nHead = ${nHead}`, `use ${nHead * Math.ceil(nEmbd / nHead)}`)
  if (nHead % nKvHead !== 0) fail('nKvHead', `divide nHead = ${nHead}`, `use ${nHead}`)
  if (config.manifoldDim === undefined) fail('manifoldDim', 'be a number or null', 'set it to null')
  const dim = manifoldDim(config)
  if (!Number.isInteger(dim) || dim < 2 || dim > LARGEST_MANIFOLD || dim % 2 !== 0)
    fail(
      'manifoldDim',
      `be an even number from 2 to ${LARGEST_MANIFOLD} (here ${dim}), for RoPE rotates pairs`,
      'set an even manifoldDim',
    )
}

function checkScales(config: ModelConfig, fail: Fail): void {
  for (const field of ['temperature', 'tau', 'eps', 'ropeBase'] as const)
    if (!(Number.isFinite(config[field]) && config[field] > 0))
      fail(field, 'be a finite number above 0', 'correct it')
  const { gamma, softcap, tauPolicy } = config
  if (!(Number.isFinite(gamma) && gamma >= 0)) fail('gamma', 'be a finite number of at least 0', 'correct it')
  if (config.clock === 'steady' && config.learnGamma && config.positiveAs === 'log' && gamma === 0)
    fail('gamma', 'start above 0 when it is learned as a logarithm', 'set gamma to 0.02')
  if (softcap !== null && !(Number.isFinite(softcap) && softcap > 0))
    fail('softcap', 'be a finite number above 0, or null', 'set it to 15 or null')
  if (typeof tauPolicy !== 'string' || !/^(median|mean|percentile:(0(\.\d+)?|1(\.0+)?))$/.test(tauPolicy))
    fail('tauPolicy', 'be median, mean or percentile:P with P from 0 to 1', 'use median')
}
