import { adamwUpdate } from '../kernels/adamw/adamw.ts'
import type { CommonOptions, NamedTensors } from './optimizer.ts'
import type { OptionValues } from './options.ts'
import { RuleOptimizer, type UpdateRule } from './rule.ts'

const options = {
  beta1: { kind: 'number', default: 0.9, min: 0, below: 1, help: 'Decay of the first moment' },
  beta2: { kind: 'number', default: 0.95, min: 0, below: 1, help: 'Decay of the second moment' },
  eps: { kind: 'number', default: 1e-8, min: 1e-38, help: 'Added to the root of the second moment' },
} as const

export type AdamWOptions = CommonOptions & Partial<OptionValues<typeof options>>

/** How {@link AdamW} updates a parameter. */
export const adamw: UpdateRule<typeof options> = {
  name: 'adamw',
  title: 'AdamW',
  help: 'adaptive moments with decoupled weight decay',
  options,
  slots: ({ tensor: { shape } }) => ({ m: shape, v: shape }),
  update({ parameter, grad, slots: { m, v }, norm }, step, { beta1, beta2, eps }) {
    const { tensor, weightDecay } = parameter
    adamwUpdate(tensor, grad, m, v, norm, { ...step, weightDecay, beta1, beta2, eps })
  },
}

/** AdamW. At step t: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
 *  p ← p·(1 − lr·weightDecay) − lr·(m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + eps).
 *  It keeps two arrays of the size of each parameter.
 *  Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2. */
export class AdamW extends RuleOptimizer<typeof options> {
  constructor(parameters: NamedTensors, options: AdamWOptions = {}) {
    super(adamw, parameters, options)
  }
}
