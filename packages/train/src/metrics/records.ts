/** What metrics.jsonl holds: one JSON object a line, told apart by `kind`. Written as the run goes, so a killed run keeps all
 *  lines but perhaps the last. */
export type MetricsRecord = RunRecord | StepRecord | EvalRecord | HeadsRecord | SampleRecord | EndRecord

/** First line of a run, and again after each resume. */
export interface RunRecord {
  readonly kind: 'run'
  /** ISO 8601. */
  readonly time: string
  /** Step the run starts from: 0, or the checkpoint's. */
  readonly step: number
  readonly versions: Readonly<Record<string, string>>
  readonly device: {
    readonly backend: string
    readonly variant: string
    readonly threads: number
    /** What the GPU calls itself. */
    readonly adapter?: string
    /** Why this backend, where it was left to the program. */
    readonly reason?: string
    readonly fallbacks: readonly string[]
  }
  /** The whole configuration after presets, file and flags. */
  readonly config: unknown
  readonly parameters: number
  /** UTF-8 bytes per token of the held-out text: turns nats per token into bits per byte. */
  readonly bytesPerToken: number
  readonly trainTokens: number
  readonly valTokens: number
}

export interface StepRecord {
  readonly kind: 'step'
  /** Counts optimizer steps from 1. */
  readonly step: number
  /** Cross-entropy, nats per token, mean over the step's tokens. */
  readonly loss: number
  readonly lr: number
  /** Norm of all gradients before clipping. */
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

/** What heads of one layer have, by name: distributions over a batch, such as `lambdaQ`, or numbers, such as `temperature`. A list has one
 *  entry for each head that has the value; the kind of attention says which heads those are. `decayRate` is the mean growth of the
 *  cumulative decay per token. */
export type HeadValues = Readonly<Record<string, readonly Quantiles[] | readonly number[]>>

/** State of the attention heads. */
export interface HeadsRecord {
  readonly kind: 'heads'
  readonly step: number
  readonly layers: readonly HeadValues[]
}

/** The distributions of that name; none if the layer has no such value. */
export const distributionsOf = (layer: HeadValues, name: string): readonly Quantiles[] =>
  (layer[name] ?? []).filter((value) => typeof value !== 'number')

/** The numbers of that name; none if the layer has no such value. */
export const numbersOf = (layer: HeadValues, name: string): readonly number[] =>
  (layer[name] ?? []).filter((value) => typeof value === 'number')

export interface SampleRecord {
  readonly kind: 'sample'
  readonly step: number
  readonly prompt: string
  readonly text: string
}

/** Last line of a run that ended in order; one that goes on adds its own lines after it. */
export interface EndRecord {
  readonly kind: 'end'
  readonly time: string
  readonly step: number
  readonly reason: 'finished' | 'interrupted' | 'diverged'
  /** Wall time since this start or resume. */
  readonly seconds: number
}
