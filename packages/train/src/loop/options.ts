import { checkOptimizerSettings, type OptimizerSettings } from '@tau/tensor/optim'

/** Options of a training run. */
export interface TrainOptions {
  /** Optimizer steps of the whole run. */
  readonly steps: number
  /** Sequences per forward pass. */
  readonly batchSize: number
  /** Forward passes per step. Their gradients are averaged. */
  readonly accumulate: number
  /** Learning rate at the end of the warm-up, its maximum. */
  readonly lr: number
  /** Learning rate at the end of the run. */
  readonly minLr: number
  /** Steps of linear warm-up. */
  readonly warmup: number
  /** The optimizer: its name, and the options that differ from its defaults. */
  readonly optimizer: OptimizerSettings
  /** Decoupled weight decay of parameters with two axes or more. */
  readonly weightDecay: number
  /** Gradients with a larger global norm are scaled down to it. Infinity: no clipping. */
  readonly gradClip: number
  /** Seed of the data order. The same seed and backend give the same run, to the bit. */
  readonly seed: number
  /** Steps between evaluations; 0: only at the end. */
  readonly evalEvery: number
  /** Held-out tokens per evaluation; Infinity: all. */
  readonly evalTokens: number
  /** Steps between head statistics; 0: none. */
  readonly headsEvery: number
  /** Steps between samples, and one at the end; 0: none. */
  readonly sampleEvery: number
  /** Steps between checkpoints; 0: only at the end. */
  readonly checkpointEvery: number
  /** Steps between recalibrations of τ when the model's tauMode is adaptive. */
  readonly calibrateEvery: number
  /** Computes each block again in the backward pass, instead of keeping its activations. This takes less
   *  memory and more time. The results are the same to the bit. */
  readonly checkpointActivations: boolean
}

export const defaultTrainOptions: TrainOptions = {
  steps: 400,
  batchSize: 8,
  accumulate: 1,
  lr: 3e-3,
  minLr: 3e-4,
  warmup: 20,
  optimizer: { name: 'adamw' },
  weightDecay: 0.1,
  gradClip: 1,
  seed: 1,
  evalEvery: 50,
  evalTokens: 32_768,
  headsEvery: 10,
  sampleEvery: 100,
  checkpointEvery: 100,
  calibrateEvery: 50,
  checkpointActivations: false,
}

/** Throws if an option is out of range. The error names the option, its value and the rule. */
export function checkTrainOptions(options: TrainOptions): void {
  const fail = (field: keyof TrainOptions, rule: string): never => {
    throw new RangeError(`train: ${field} must be ${rule}, got ${options[field]}`)
  }
  for (const field of ['steps', 'batchSize', 'accumulate', 'calibrateEvery'] as const)
    if (!Number.isInteger(options[field]) || options[field] < 1) fail(field, 'a whole number of at least 1')
  for (const field of [
    'warmup',
    'seed',
    'evalEvery',
    'headsEvery',
    'sampleEvery',
    'checkpointEvery',
  ] as const)
    if (!Number.isSafeInteger(options[field]) || options[field] < 0)
      fail(field, 'a whole number of at least 0')
  if (!(options.lr > 0 && Number.isFinite(options.lr))) fail('lr', 'a finite number above 0')
  if (!(options.minLr >= 0 && options.minLr <= options.lr)) fail('minLr', `between 0 and lr = ${options.lr}`)
  if (!(options.evalTokens >= 1)) fail('evalTokens', 'at least 1')
  checkOptimizerSettings(options.optimizer)
}
