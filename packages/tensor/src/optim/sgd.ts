import { sgdUpdate } from '../kernels/sgd/sgd.ts'
import type { Shape } from '../shape.ts'
import type { CommonOptions, NamedTensors } from './optimizer.ts'
import type { OptionValues } from './options.ts'
import { RuleOptimizer, type UpdateRule } from './rule.ts'

const options = {
  momentum: {
    kind: 'number',
    default: 0.9,
    min: 0,
    below: 1,
    help: 'Share of the velocity that stays from step to step',
  },
  nesterov: { kind: 'flag', default: false, help: 'Look one step ahead along the velocity' },
} as const

export type SgdOptions = CommonOptions & Partial<OptionValues<typeof options>>

/** How {@link Sgd} updates a parameter. */
export const sgd: UpdateRule<typeof options> = {
  name: 'sgd',
  title: 'Sgd',
  help: 'gradient descent with momentum',
  options,
  slots({ tensor }, { momentum }): Record<string, Shape> {
    return momentum > 0 ? { velocity: tensor.shape } : {}
  },
  update({ parameter, grad, slots, norm }, { lr, maxNorm }, { momentum, nesterov }) {
    const { tensor, weightDecay } = parameter
    sgdUpdate(tensor, grad, slots.velocity, norm, { lr, momentum, nesterov, weightDecay, maxNorm })
  },
}

/** Gradient descent with momentum: v ← momentum·v + g, p ← p·(1 − lr·weightDecay) − lr·v. With `nesterov` the
 *  step is along g + momentum·v. It keeps one array of the size of each parameter, if there is momentum.
 *  Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep
 *  learning (2013). */
export class Sgd extends RuleOptimizer<typeof options> {
  constructor(parameters: NamedTensors, options: SgdOptions = {}) {
    super(sgd, parameters, options)
  }
}
