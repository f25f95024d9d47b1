/** One line of metrics.jsonl: a JSON object. Its `kind` says which record it is. Lines are written during the
 *  run, so a killed run keeps every line except perhaps the last. */
export type MetricsRecord = RunRecord | StepRecord | EvalRecord | HeadsRecord | SampleRecord | EndRecord

/** The first line of a run. Each resume writes it again. */
export interface RunRecord {
  readonly kind: 'run'
  /** Start time, ISO 8601. */
  readonly time: string
  /** Step that the run starts from: 0, or the step of the checkpoint. */
  readonly step: number
  readonly versions: Readonly<Record<string, string>>
  readonly device: {
    readonly backend: string
    readonly variant: string
    readonly threads: number
    /** Name that the GPU reports. */
    readonly adapter?: string
    /** Why the program chose this backend, if the choice was left to it. */
    readonly reason?: string
    readonly fallbacks: readonly string[]
  }
  /** The whole configuration, after presets, file and flags were applied. */
  readonly config: unknown
  readonly parameters: number
  /** UTF-8 bytes per token of the held-out text. It converts nats per token to bits per byte. */
  readonly bytesPerToken: number
  readonly trainTokens: number
  readonly valTokens: number
}

export interface StepRecord {
  readonly kind: 'step'
  /** Optimizer step, counted from 1. */
  readonly step: number
  /** Cross-entropy in nats per token: the mean over the tokens of the step. */
  readonly loss: number
  readonly lr: number
  /** Norm over all gradients, before clipping. */
  readonly gradNorm: number
  /** Tokens trained on so far. */
  readonly tokens: number
  readonly tokensPerSec: number
  readonly stepMs: number
}

export interface EvalRecord {
  readonly kind: 'eval'
  readonly step: number
  /** Cross-entropy on the held-out tail, nats per token. */
  readonly valLoss: number
  /** The same in bits per UTF-8 byte. */
  readonly valBpb: number
  /** Tokens evaluated. */
  readonly tokens: number
}

/** Distribution of one head's values over a batch. */
export interface Quantiles {
  readonly mean: number
  readonly q05: number
  readonly q25: number
  readonly q50: number
  readonly q75: number
  readonly q95: number
}

/** Values of the heads of one layer, by name. A value is a distribution over a batch, such as `lambdaQ`, or a
 *  number, such as `temperature`. A list has one entry for each head that has the value. The kind of
 *  attention says which heads have it. `decayRate` is the mean growth of the cumulative decay per token. */
export type HeadValues = Readonly<Record<string, readonly Quantiles[] | readonly number[]>>

/** State of the attention heads. */
export interface HeadsRecord {
  readonly kind: 'heads'
  readonly step: number
  readonly layers: readonly HeadValues[]
}

/** The distributions with that name; an empty list if the layer has none. */
export const distributionsOf = (layer: HeadValues, name: string): readonly Quantiles[] =>
  (layer[name] ?? []).filter((value) => typeof value !== 'number')

/** The numbers with that name; an empty list if the layer has none. */
export const numbersOf = (layer: HeadValues, name: string): readonly number[] =>
  (layer[name] ?? []).filter((value) => typeof value === 'number')

export interface SampleRecord {
  readonly kind: 'sample'
  readonly step: number
  readonly prompt: string
  readonly text: string
}

/** The last line of a run that ended normally. A resumed run adds its own lines after it. */
export interface EndRecord {
  readonly kind: 'end'
  readonly time: string
  readonly step: number
  readonly reason: 'finished' | 'interrupted' | 'diverged'
  /** Wall time since this start or resume, in seconds. */
  readonly seconds: number
}
