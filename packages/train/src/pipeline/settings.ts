import { type ModelOptions, resolveConfig } from '@tau/model'
import type { FilePlace, FolderPlace } from '@tau/tensor/files'
import { checkTrainOptions, defaultTrainOptions, type TrainOptions } from '../loop/options.ts'
import { defaultManifoldSettings, type ManifoldSettings } from './manifold.ts'
import { defaultSampleSettings, type SampleSettings } from './sample.ts'

/** What to train on. */
export interface DataSettings {
  /** Text files, in this order, UTF-8. */
  readonly files: readonly FilePlace[]
  /** Share of the text that is kept for validation, from its end; above 0, below 1. */
  readonly heldOut: number
  /** Folder that {@link writePrepared} wrote, instead of files. */
  readonly shards?: FolderPlace | undefined
}

/** How text becomes tokens. */
export interface TokenizerSettings {
  /** tokenizer.json to use instead of learning one. */
  readonly path?: FilePlace | undefined
  /** Tokens to learn; default the size's. */
  readonly vocabSize?: number | undefined
}

/** Everything that makes a run, in the sections of run.yaml. */
export interface RunSettings {
  readonly data: DataSettings
  readonly tokenizer: TokenizerSettings
  readonly manifold: ManifoldSettings
  readonly model: ModelOptions
  readonly train: TrainOptions
  readonly sample: SampleSettings
}

/** What a caller says of them; the rest are defaults. */
export interface RunOptions {
  readonly data?: Partial<DataSettings>
  readonly tokenizer?: TokenizerSettings
  readonly manifold?: Partial<ManifoldSettings>
  readonly model?: ModelOptions
  readonly train?: Partial<TrainOptions>
  readonly sample?: Partial<SampleSettings>
}

export const defaultDataSettings: DataSettings = { files: [], heldOut: 0.05 }

/** Fills in the defaults and checks what can be checked without the text. Throws as resolveConfig and checkTrainOptions do. */
export function runSettings(options: RunOptions = {}): RunSettings {
  const settings = {
    data: { ...defaultDataSettings, ...options.data },
    tokenizer: { ...options.tokenizer },
    manifold: { ...defaultManifoldSettings, ...options.manifold },
    model: { ...options.model },
    train: { ...defaultTrainOptions, ...options.train },
    sample: { ...defaultSampleSettings, ...options.sample },
  }
  resolveConfig(settings.model)
  checkTrainOptions(settings.train)
  return settings
}

/** Tokens that a run's tokenizer is to have, unless one is read. */
export const vocabSizeOf = ({ tokenizer, model }: Pick<RunSettings, 'tokenizer' | 'model'>): number =>
  tokenizer.vocabSize ?? resolveConfig(model).vocabSize
