import { type ModelOptions, resolveConfig } from '@tau/model'
import type { FilePlace, FolderPlace } from '@tau/tensor/files'
import { checkTrainOptions, defaultTrainOptions, type TrainOptions } from '../loop/options.ts'
import { defaultManifoldSettings, type ManifoldSettings } from './manifold.ts'
import { defaultSampleSettings, type SampleSettings } from './sample.ts'

/** What to train on. */
export interface DataSettings {
  /** Text files, in this order, UTF-8. */
  readonly files: readonly FilePlace[]
  /** Share of the text, at its end, that is kept for validation. Above 0 and below 1. */
  readonly heldOut: number
  /** Folder that {@link writePrepared} wrote. It replaces `files`. */
  readonly shards?: FolderPlace | undefined
}

/** How text becomes tokens. */
export interface TokenizerSettings {
  /** tokenizer.json to use instead of learning one. */
  readonly path?: FilePlace | undefined
  /** Number of tokens to learn. Default: the vocabulary of the model's size. */
  readonly vocabSize?: number | undefined
}

/** All settings of a run, in the sections of run.yaml. */
export interface RunSettings {
  readonly data: DataSettings
  readonly tokenizer: TokenizerSettings
  readonly manifold: ManifoldSettings
  readonly model: ModelOptions
  readonly train: TrainOptions
  readonly sample: SampleSettings
}

/** The settings that a caller gives. The others take their defaults. */
export interface RunOptions {
  readonly data?: Partial<DataSettings>
  readonly tokenizer?: TokenizerSettings
  readonly manifold?: Partial<ManifoldSettings>
  readonly model?: ModelOptions
  readonly train?: Partial<TrainOptions>
  readonly sample?: Partial<SampleSettings>
}

export const defaultDataSettings: DataSettings = { files: [], heldOut: 0.05 }

/** Fills in the defaults and checks everything that can be checked without the text. Throws the errors of
 *  resolveConfig and checkTrainOptions. */
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

/** Size of the vocabulary that the run learns, if it does not load a tokenizer. */
export const vocabSizeOf = ({ tokenizer, model }: Pick<RunSettings, 'tokenizer' | 'model'>): number =>
  tokenizer.vocabSize ?? resolveConfig(model).vocabSize
