import type { GPT } from '@tau/model'
import { createOptimizer, type Optimizer } from '@tau/tensor/optim'
import type { TrainOptions } from './options.ts'

/** The training options that choose and configure the optimizer. */
export type OptimizerChoice = Pick<TrainOptions, 'optimizer' | 'weightDecay' | 'gradClip'>

/** Makes the optimizer of the options, for the parameters of the model and their groups. */
export const modelOptimizer = (
  { parameters, parameterGroups }: GPT,
  { optimizer, weightDecay, gradClip }: OptimizerChoice,
): Optimizer => createOptimizer(parameters, optimizer, { weightDecay, gradClip, groups: parameterGroups })
